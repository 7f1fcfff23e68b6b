#include "container/process_list.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <optional>
#include <string>

#include "base/text.hpp"
#include "container/cgroup_files.hpp"

namespace twinbox::container {
namespace {

namespace fs = std::filesystem;

constexpr unsigned terminal_major = 136;  // of /dev/pts/N
constexpr std::uint64_t second_ns = 1'000'000'000;

template <typename T>
T number(const std::vector<std::string>& fields, std::size_t index) {
  return index < fields.size() ? base::parse_number<T>(fields[index]).value_or(0) : T{};
}

// Seconds since the epoch at which the machine was started.
std::int64_t boot_time() {
  timespec since_boot{};
  ::clock_gettime(CLOCK_BOOTTIME, &since_boot);
  return std::time(nullptr) - since_boot.tv_sec;
}

std::string terminal_name(unsigned device) {
  if (major(device) != terminal_major) return "?";
  return "pts/" + std::to_string(minor(device));
}

// proc(5): arguments end in null bytes; a kernel thread, or a zombie, has none.
std::string command_of(const fs::path& process, const std::string& name) {
  auto text = read_control(process / "cmdline");
  while (!text.empty() && text.back() == '\0') text.pop_back();
  std::ranges::replace(text, '\0', ' ');
  return text.empty() ? "[" + name + "]" : text;
}

std::optional<sandbox::ProcessEntry> describe(pid_t pid) {
  const auto process = fs::path("/proc") / std::to_string(pid);
  const auto stat = read_control(process / "stat");
  // The name stands in parentheses and may hold any character, blanks and ')' included.
  const auto open = stat.find('(');
  const auto close = stat.rfind(')');
  struct stat owner {};
  if (open == std::string::npos || close == std::string::npos ||
      ::stat(process.c_str(), &owner) != 0) {
    return std::nullopt;
  }
  const auto fields = base::words(std::string_view(stat).substr(close + 1));
  const auto ticks = static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
  const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  const auto used = number<std::uint64_t>(fields, 11) + number<std::uint64_t>(fields, 12);
  const auto start = number<std::uint64_t>(fields, 19) / ticks;
  const auto name = stat.substr(open + 1, close - open - 1);
  return sandbox::ProcessEntry{.pid = pid,
                               .ppid = number<pid_t>(fields, 1),
                               .uid = owner.st_uid,
                               .started = boot_time() + static_cast<std::int64_t>(start),
                               .terminal = terminal_name(number<unsigned>(fields, 4)),
                               .cpu_ns = used * second_ns / ticks,
                               .state = fields.empty() ? '?' : fields.front().front(),
                               .nice = number<int>(fields, 16),
                               .threads = number<unsigned>(fields, 17),
                               .virtual_bytes = number<std::uint64_t>(fields, 20),
                               .resident_bytes = number<std::uint64_t>(fields, 21) * page,
                               .name = name,
                               .command = command_of(process, name)};
}

}  // namespace

std::vector<sandbox::ProcessEntry> describe_processes(const std::vector<pid_t>& pids) {
  std::vector<sandbox::ProcessEntry> entries;
  for (const auto pid : pids) {
    if (auto entry = describe(pid)) entries.push_back(std::move(*entry));
  }
  return entries;
}

void add_network_counters(pid_t pid, sandbox::Statistics& statistics) {
  // "  eth0: bytes packets errs drop fifo frame compressed multicast bytes ..."
  for (const auto& line : base::split(read_control(fmt::format("/proc/{}/net/dev", pid)), '\n')) {
    const auto colon = line.find(':');
    if (colon == std::string::npos) continue;
    const auto name = base::words(line.substr(0, colon));
    if (name.empty() || name.front() == "lo") continue;
    const auto counters = base::words(line.substr(colon + 1));
    statistics.network_received_bytes += number<std::uint64_t>(counters, 0);
    statistics.network_sent_bytes += number<std::uint64_t>(counters, 8);
  }
}

}  // namespace twinbox::container
