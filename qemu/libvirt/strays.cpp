#include "qemu/libvirt/strays.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <charconv>
#include <filesystem>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/file.hpp"

namespace twinbox::qemu::libvirt {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view program = "qemu-system-x86_64";
constexpr int patience_ms = 10'000;

// The arguments, each ended by a NUL; empty when the process is gone.
std::string command_line(pid_t pid) {
  try {
    return base::read_file(fmt::format("/proc/{}/cmdline", pid));
  } catch (const base::Error&) {
    return {};
  }
}

bool is_qemu_with(pid_t pid, std::string_view text) {
  const auto line = command_line(pid);
  const auto end = line.find('\0');
  if (end == std::string::npos) return false;
  return fs::path(line.substr(0, end)).filename() == program &&
         line.find(text, end) != std::string::npos;
}

std::vector<pid_t> all_processes() {
  std::vector<pid_t> found;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const auto name = entry.path().filename().string();
    pid_t pid = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (error == std::errc() && end == name.data() + name.size()) found.push_back(pid);
  }
  return found;
}

void kill_if_qemu_with(pid_t pid, std::string_view text) {
  // The pidfd first: who has these arguments after it is open is the one it will kill.
  const base::Fd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!process || !is_qemu_with(pid, text)) return;
  if (::syscall(SYS_pidfd_send_signal, process.get(), SIGKILL, nullptr, 0) != 0 && errno != ESRCH) {
    base::throw_errno("cannot end QEMU, process {}", pid);
  }
  pollfd gone{.fd = process.get(), .events = POLLIN, .revents = 0};
  if (::poll(&gone, 1, patience_ms) != 1) {
    throw base::Error(base::ErrorKind::system, fmt::format("QEMU, process {}, does not end", pid));
  }
}

}  // namespace

void kill_strays(std::string_view text) {
  for (const pid_t pid : all_processes()) {
    if (is_qemu_with(pid, text)) kill_if_qemu_with(pid, text);
  }
}

}  // namespace twinbox::qemu::libvirt
