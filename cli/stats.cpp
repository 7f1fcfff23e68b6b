// twinbox stats: what boxes use, again and again.
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <thread>

#include "base/error.hpp"
#include "cli/box_status.hpp"
#include "cli/each_box.hpp"
#include "cli/format.hpp"
#include "cli/format_units.hpp"
#include "cli/output.hpp"
#include "cli/verbs.hpp"

namespace twinbox::cli {
namespace {

constexpr std::array columns{
    Column{"ID", "CONTAINER ID"},
    Column{"Container", "CONTAINER"},
    Column{"Name", "NAME"},
    Column{"CPUPerc", "CPU %"},
    Column{"MemUsage", "MEM USAGE / LIMIT"},
    Column{"MemPerc", "MEM %"},
    Column{"NetIO", "NET I/O"},
    Column{"BlockIO", "BLOCK I/O"},
    Column{"PIDs", "PIDS"},
};
constexpr std::string_view standard =
    "{{.ID}}\t{{.Name}}\t{{.CPUPerc}}\t{{.MemUsage}}\t{{.MemPerc}}\t{{.NetIO}}\t{{.BlockIO}}\t"
    "{{.PIDs}}";
constexpr std::chrono::milliseconds interval{1000};

struct StatsFlags {
  bool all = false;
  bool once = false;
  bool whole = false;
  std::string format;
};

std::string percent(double part, double whole) {
  return fmt::format("{:.2f}%", whole > 0 ? 100 * part / whole : 0);
}

std::string transfer(std::uint64_t in, std::uint64_t out) {
  return fmt::format("{} / {}", human_size(static_cast<double>(in), 3),
                     human_size(static_cast<double>(out), 3));
}

// The processor's use is that between two samples.
base::Json row_of(const supervise::BoxRecord& record, const sandbox::Statistics& before,
                  const sandbox::Statistics& now) {
  const auto memory = static_cast<double>(now.memory_bytes);
  const auto limit = static_cast<double>(now.memory_limit_bytes);
  return {{"ID", record.id},
          {"Container", record.id},
          {"Name", record.name},
          {"CPUPerc", percent(static_cast<double>(now.cpu_ns - before.cpu_ns),
                              static_cast<double>(now.time_ns - before.time_ns))},
          {"MemUsage", fmt::format("{} / {}", binary_size(memory), binary_size(limit))},
          {"MemPerc", percent(memory, limit)},
          {"NetIO", transfer(now.network_received_bytes, now.network_sent_bytes)},
          {"BlockIO", transfer(now.block_read_bytes, now.block_written_bytes)},
          {"PIDs", std::to_string(now.pids)}};
}

base::Json unknown_row(const supervise::BoxRecord& record) {
  return {{"ID", record.id}, {"Container", record.id}, {"Name", record.name},
          {"CPUPerc", "--"}, {"MemUsage", "-- / --"},  {"MemPerc", "--"},
          {"NetIO", "--"},   {"BlockIO", "--"},        {"PIDs", "--"}};
}

class Sampler {
 public:
  Sampler(const std::vector<std::string>& references, bool all)
      : references_(references), all_(all) {}

  // A sample of each box that is asked about now.
  std::vector<base::Json> sample() {
    std::vector<base::Json> rows;
    std::map<std::string, sandbox::Statistics> samples;
    for (const auto& record : boxes()) {
      const auto now = statistics(record);
      if (!now) {
        rows.push_back(unknown_row(record));
        continue;
      }
      samples.emplace(record.id, *now);
      const auto before = samples_.find(record.id);
      rows.push_back(row_of(record, before == samples_.end() ? *now : before->second, *now));
    }
    samples_ = std::move(samples);
    return rows;
  }

 private:
  std::vector<supervise::BoxRecord> boxes() const {
    if (references_.empty()) {
      auto records = box_store().list();
      std::erase_if(records,
                    [this](const auto& record) { return !all_ && !is_alive(record.state.status); });
      return records;
    }
    std::vector<supervise::BoxRecord> records;
    for (const auto& reference : references_) records.push_back(box_store().find(reference));
    return records;
  }

  // None for a box that does not run; one that was named must tell.
  std::optional<sandbox::Statistics> statistics(const supervise::BoxRecord& record) const {
    if (!is_alive(record.state.status)) return std::nullopt;
    try {
      return ask_box<sandbox::Statistics>(
          record, [](auto& client, auto answer) { client.statistics(answer); });
    } catch (const base::Error& error) {
      if (!references_.empty() && error.kind() == base::ErrorKind::unsupported) throw;
      return std::nullopt;
    }
  }

  const std::vector<std::string>& references_;
  bool all_;
  std::map<std::string, sandbox::Statistics> samples_;
};

void show(Sampler& sampler, const RowFormat& format, const StatsFlags& flags) {
  constexpr auto clear_screen = "\033[H\033[2J";
  sampler.sample();
  do {
    std::this_thread::sleep_for(interval);
    const auto text = format.render(sampler.sample());
    fmt::print("{}{}", !flags.once && ::isatty(STDOUT_FILENO) != 0 ? clear_screen : "", text);
    flush_output_or_end();
  } while (!flags.once);
}

}  // namespace

int stats(const Arguments& arguments) {
  StatsFlags flags;
  Options options("stats [FLAGS] [BOX...]", "Shows what running boxes use, every second.");
  options.flag("all,a", "those that do not run too", flags.all);
  options.flag("no-stream", "once only", flags.once);
  options.flag("no-trunc", "accepted for docker's sake: ids are always whole", flags.whole);
  options.value("format", "FORMAT", "table, table TEMPLATE, json, or a Go template", flags.format);
  const auto boxes = options.parse(arguments, FlagPlace::anywhere);
  if (options.help_shown()) return 0;
  const RowFormat format(flags.format, columns, standard);
  return tell_errors([&] {
    Sampler sampler(boxes, flags.all);
    show(sampler, format, flags);
  });
}

}  // namespace twinbox::cli
