#include "cli/top_columns.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <string_view>

#include "base/error.hpp"
#include "base/size.hpp"
#include "base/text.hpp"

namespace twinbox::cli {
namespace {

using sandbox::ProcessEntry;

constexpr std::uint64_t second_ns = 1'000'000'000;

std::string clock_time(const ProcessEntry& process, const ProcessMoment&) {
  const std::time_t seconds = process.started;
  std::tm parts{};
  ::localtime_r(&seconds, &parts);
  return fmt::format("{:02}:{:02}", parts.tm_hour, parts.tm_min);
}

std::string used_time(const ProcessEntry& process, const ProcessMoment&) {
  const auto seconds = process.cpu_ns / second_ns;
  return fmt::format("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
}

// As ps writes it: [[days-]hours:]minutes:seconds.
std::string elapsed_time(const ProcessEntry& process, const ProcessMoment& moment) {
  const auto seconds = std::max<std::int64_t>(0, moment.now - process.started);
  const auto hours = seconds / 3600 % 24, days = seconds / 86400;
  auto text = fmt::format("{:02}:{:02}", seconds / 60 % 60, seconds % 60);
  if (hours > 0 || days > 0) text = fmt::format("{:02}:{}", hours, text);
  return days > 0 ? fmt::format("{}-{}", days, text) : text;
}

// Of one processor, over the process's whole life, in percent.
double cpu_share(const ProcessEntry& process, const ProcessMoment& moment) {
  const auto seconds = static_cast<double>(std::max<std::int64_t>(1, moment.now - process.started));
  return 100 * static_cast<double>(process.cpu_ns) / static_cast<double>(second_ns) / seconds;
}

std::string memory_share(const ProcessEntry& process, const ProcessMoment& moment) {
  if (moment.memory_bytes == 0) return "-";
  return fmt::format("{:.1f}", 100 * static_cast<double>(process.resident_bytes) /
                                   static_cast<double>(moment.memory_bytes));
}

struct Known {
  std::string_view names;  // of ps -o, with blanks between
  std::string_view heading;
  std::string (*text)(const ProcessEntry&, const ProcessMoment&);
};

// Users have numbers only: a name is another's in the image than on the host.
const std::array known{
    Known{"uid user euser ruser euid ruid", "UID",
          [](const ProcessEntry& p, const ProcessMoment&) { return std::to_string(p.uid); }},
    Known{"pid tgid", "PID",
          [](const ProcessEntry& p, const ProcessMoment&) { return std::to_string(p.pid); }},
    Known{"ppid", "PPID",
          [](const ProcessEntry& p, const ProcessMoment&) { return std::to_string(p.ppid); }},
    Known{"c", "C",
          [](const ProcessEntry& p, const ProcessMoment& m) {
            return fmt::format("{:.0f}", cpu_share(p, m));
          }},
    Known{"pcpu %cpu", "%CPU",
          [](const ProcessEntry& p, const ProcessMoment& m) {
            return fmt::format("{:.1f}", cpu_share(p, m));
          }},
    Known{"pmem %mem", "%MEM", memory_share},
    Known{"vsz vsize", "VSZ",
          [](const ProcessEntry& p, const ProcessMoment&) {
            return std::to_string(p.virtual_bytes / base::kibibyte);
          }},
    Known{"rss rssize rsz", "RSS",
          [](const ProcessEntry& p, const ProcessMoment&) {
            return std::to_string(p.resident_bytes / base::kibibyte);
          }},
    Known{"stime start start_time bsdstart", "STIME", clock_time},
    Known{"tty tt tname", "TTY",
          [](const ProcessEntry& p, const ProcessMoment&) { return base::printable(p.terminal); }},
    Known{"time cputime", "TIME", used_time},
    Known{"etime", "ELAPSED", elapsed_time},
    Known{"s state stat", "S",
          [](const ProcessEntry& p, const ProcessMoment&) {
            return base::printable({&p.state, 1});
          }},
    Known{"ni nice", "NI",
          [](const ProcessEntry& p, const ProcessMoment&) { return std::to_string(p.nice); }},
    Known{"nlwp thcount", "NLWP",
          [](const ProcessEntry& p, const ProcessMoment&) { return std::to_string(p.threads); }},
    Known{"comm ucmd ucomm", "COMMAND",
          [](const ProcessEntry& p, const ProcessMoment&) { return base::printable(p.name); }},
    Known{"cmd args command", "CMD",
          [](const ProcessEntry& p, const ProcessMoment&) { return base::printable(p.command); }},
};

base::Error unknown(std::string_view what) {
  std::vector<std::string> names;
  for (const auto& column : known) names.push_back(base::words(column.names).front());
  return {base::ErrorKind::usage, fmt::format("top: '{}' is not known", what),
          fmt::format("give -ef, aux, or -o with some of {}", fmt::join(names, ","))};
}

// "pid", or "pid=HEADING".
ProcessColumn column(std::string_view text) {
  const auto equals = text.find('=');
  const auto name = text.substr(0, equals);
  for (const auto& one : known) {
    if (std::ranges::count(base::words(one.names), name) == 0) continue;
    const auto heading = equals == std::string_view::npos ? one.heading : text.substr(equals + 1);
    return {std::string(heading), one.text};
  }
  throw unknown(text);
}

void add_columns(std::string_view list, std::vector<ProcessColumn>& columns) {
  for (const auto& name : base::split(list, ',')) columns.push_back(column(name));
}

constexpr std::string_view full = "uid,pid,ppid,c,stime,tty,time,cmd";
constexpr std::string_view of_users =
    "uid=USER,pid,%cpu,%mem,vsz,rss,tty,stat=STAT,stime=START,"
    "time,cmd=COMMAND";

bool has_only(std::string_view text, std::string_view letters) {
  return text.find_first_not_of(letters) == std::string_view::npos;
}

}  // namespace

std::vector<ProcessColumn> process_columns(const std::vector<std::string>& options) {
  std::vector<ProcessColumn> columns;
  std::string_view standard = full;
  for (std::size_t at = 0; at < options.size(); ++at) {
    std::string_view option = options[at];
    const auto list = option.find('o');
    if (option.starts_with("-") && list != std::string_view::npos &&
        has_only(option.substr(1, list - 1), "eA")) {
      auto names = option.substr(list + 1);
      if (names.empty() && ++at < options.size()) names = options[at];
      if (names.empty()) throw unknown(option);
      add_columns(names, columns);
    } else if (option.size() > 1 && option.starts_with("-") && has_only(option.substr(1), "eAfF")) {
      standard = full;
    } else if (!option.empty() && has_only(option, "auxw")) {
      standard = of_users;
    } else {
      throw unknown(option);
    }
  }
  if (columns.empty()) add_columns(standard, columns);
  return columns;
}

}  // namespace twinbox::cli
