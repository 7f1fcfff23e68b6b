#include "vmm/monitor_record.hpp"

#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/json.hpp"
#include "base/syscall.hpp"
#include "base/text.hpp"

namespace twinbox::vmm {
namespace {

namespace fs = std::filesystem;

constexpr const char* file_name = "monitor.json";
constexpr int patience_ms = 10'000;

// Clock ticks since boot at which the process began (proc(5), field 22); 0 when there is none.
std::uint64_t start_time(pid_t pid) {
  std::string stat;
  try {
    stat = base::read_file(fmt::format("/proc/{}/stat", pid));
  } catch (const base::Error&) {
    return 0;
  }
  // The name, field 2, may hold anything; what follows its closing bracket is plain.
  const auto fields = base::words(stat.substr(stat.rfind(')') + 1));
  constexpr std::size_t start_time_field = 22 - 3;
  if (fields.size() <= start_time_field) return 0;
  return base::parse_number<std::uint64_t>(fields[start_time_field]).value_or(0);
}

}  // namespace

void record_monitor(const fs::path& directory, pid_t pid) {
  base::write_file(directory / file_name,
                   base::Json{{"pid", pid}, {"start_time", start_time(pid)}}.dump());
}

void kill_recorded_monitor(const fs::path& directory) {
  const auto path = directory / file_name;
  if (!fs::exists(path)) return;
  pid_t pid = -1;
  std::uint64_t started = 0;
  try {
    const auto json = base::parse_json(base::read_file(path), path.string());
    const base::JsonView view(json, path.string());
    pid = view.get<pid_t>("pid");
    started = view.get<std::uint64_t>("start_time");
  } catch (const base::Error&) {
    return;  // its owner was killed while it wrote; the monitor dies with its owner by itself
  }
  if (pid <= 0 || started == 0) return;
  // The pidfd first: whose start time is right after it is open is the one it will kill.
  const base::Fd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!process || start_time(pid) != started) return;
  if (::syscall(SYS_pidfd_send_signal, process.get(), SIGKILL, nullptr, 0) != 0 && errno != ESRCH) {
    base::throw_errno("cannot end the monitor, process {}", pid);
  }
  pollfd gone{.fd = process.get(), .events = POLLIN, .revents = 0};
  ::poll(&gone, 1, patience_ms);
}

}  // namespace twinbox::vmm
