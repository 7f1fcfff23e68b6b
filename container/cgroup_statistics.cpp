// What the counters of a box's control groups say, and its freezer.

#include <algorithm>
#include <chrono>
#include <thread>

#include "base/error.hpp"
#include "base/syscall.hpp"
#include "base/text.hpp"
#include "container/cgroup.hpp"
#include "container/cgroup_files.hpp"

namespace twinbox::container {

namespace fs = std::filesystem;

namespace {

constexpr auto freeze_patience = std::chrono::seconds(10);

std::uint64_t memory_of_this_machine() {
  for (const auto& line : base::split(read_control("/proc/meminfo"), '\n')) {
    const auto fields = base::words(line);
    if (fields.size() < 2 || fields[0] != "MemTotal:") continue;
    return base::parse_number<std::uint64_t>(fields[1]).value_or(0) * 1024;
  }
  return 0;
}

// Version 1: lines "8:0 Read 4096"; version 2: "8:0 rbytes=4096 wbytes=0 ...".
void add_block_io(const std::string& text, sandbox::Statistics& statistics) {
  for (const auto& line : base::split(text, '\n')) {
    const auto fields = base::words(line);
    for (std::size_t i = 1; i < fields.size(); ++i) {
      const auto equals = fields[i].find('=');
      const auto key = fields[i].substr(0, equals);
      const auto value = equals != std::string::npos ? fields[i].substr(equals + 1)
                         : i + 1 < fields.size()     ? fields[i + 1]
                                                     : std::string();
      const auto bytes = base::parse_number<std::uint64_t>(value).value_or(0);
      if (key == "Read" || key == "rbytes") statistics.block_read_bytes += bytes;
      if (key == "Write" || key == "wbytes") statistics.block_written_bytes += bytes;
    }
  }
}

}  // namespace

fs::path Cgroup::file(std::string_view controller, std::string_view v1, std::string_view v2) const {
  const auto* const group = group_with(controller);
  return group == nullptr ? fs::path("/") : group->path / (unified_ ? v2 : v1);
}

sandbox::Statistics Cgroup::statistics() const {
  sandbox::Statistics result;
  result.time_ns = base::monotonic_now();
  result.cpus = std::max(1U, std::thread::hardware_concurrency());
  result.cpu_ns = unified_ ? read_counter(file("cpu", "", "cpu.stat"), "usage_usec") * 1000
                           : read_number(file("cpuacct", "cpuacct.usage", "")).value_or(0);
  const auto used =
      read_number(file("memory", "memory.usage_in_bytes", "memory.current")).value_or(0);
  // Cache that nothing uses is no use of memory, as docker counts.
  const auto idle = read_counter(file("memory", "memory.stat", "memory.stat"),
                                 unified_ ? "inactive_file" : "total_inactive_file");
  result.memory_bytes = used - std::min(used, idle);
  const auto all = memory_of_this_machine();
  const auto limit = read_number(file("memory", "memory.limit_in_bytes", "memory.max"));
  result.memory_limit_bytes = std::min(limit.value_or(all), all);
  result.pids = read_number(file("pids", "pids.current", "pids.current")).value_or(0);
  result.pids_limit = read_number(file("pids", "pids.max", "pids.max")).value_or(0);
  add_block_io(read_control(file("blkio", "blkio.throttle.io_service_bytes", "io.stat")), result);
  return result;
}

void Cgroup::freeze(bool frozen) const {
  const auto* const group = group_with("freezer");
  if (group == nullptr) {
    if (!frozen) return;
    throw base::Error(base::ErrorKind::unsupported, "the freezer control group is not mounted",
                      "mount it with: mount -t cgroup -o freezer none /sys/fs/cgroup/freezer");
  }
  const auto state = group->path / (unified_ ? "cgroup.freeze" : "freezer.state");
  const std::string wanted = unified_ ? (frozen ? "1" : "0") : (frozen ? "FROZEN" : "THAWED");
  const auto reached = [&] {
    if (unified_) return read_counter(group->path / "cgroup.events", "frozen") == (frozen ? 1 : 0);
    return read_control(state).starts_with(wanted);
  };
  const auto deadline = std::chrono::steady_clock::now() + freeze_patience;
  // Written again and again: version 1 may stay half way where a process is in the middle of a
  // call.
  while (write_control_if_there(state, wanted) && !reached()) {
    if (std::chrono::steady_clock::now() > deadline) {
      throw base::Error(base::ErrorKind::system,
                        fmt::format("{} does not become {}", state.string(), wanted));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

}  // namespace twinbox::container
