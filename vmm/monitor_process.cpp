#include "vmm/monitor_process.hpp"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <span>
#include <string>
#include <utility>

#include "base/error.hpp"
#include "base/syscall.hpp"
#include "sandbox/paths.hpp"
#include "sandbox/stamp.hpp"
#include "vmm/monitor_spawn.hpp"

namespace twinbox::vmm {
namespace {

std::vector<int> inherited_by(const MachineConfig& config, int config_fd) {
  std::vector<int> fds{config_fd, config.report};
  for (const int fd : {config.serial_in, config.serial_out}) {
    if (fd >= 0) fds.push_back(fd);
  }
  for (const auto& port : config.ports) fds.push_back(port.descriptor);
  if (sandbox::cpu_counter() >= 0) fds.push_back(sandbox::cpu_counter());
  return fds;
}

// Without a status of one that was no child.
MonitorEnd lost(pid_t pid, std::optional<int> status, const std::string& report_error) {
  MonitorEnd end{.reason = EndReason::killed};
  if (!status) {
    end.message = fmt::format("the monitor (process {}) ended without a report", pid);
  } else if (WIFSIGNALED(*status)) {
    const int number = WTERMSIG(*status);
    end.message = fmt::format("the monitor (process {}) was ended by signal {} ({})", pid, number,
                              ::strsignal(number));
    if (number == SIGKILL) {
      end.hint = "if nobody sent it, the kernel ran out of memory: see dmesg, or use less --memory";
    }
  } else {
    end.message = fmt::format("the monitor (process {}) ended with status {} and without a report",
                              pid, WEXITSTATUS(*status));
  }
  if (!report_error.empty()) end.message += ": " + report_error;
  return end;
}

}  // namespace

// The configuration travels as a file in memory, so that no path or argument shows or limits it.
base::Fd config_file(const MachineConfig& config) {
  base::Fd file(::memfd_create("twinbox-machine", MFD_CLOEXEC));
  if (!file) base::throw_errno("cannot make a file in memory");
  const std::string text = to_json(config);
  base::pwrite_all(file.get(), std::as_bytes(std::span(text)), 0);
  return file;
}

RunningMonitor start_monitor(MachineConfig config, DiesWith life) {
  auto [ours, monitors] = base::make_socket_pair();
  config.report = monitors.get();
  const base::Fd file = config_file(config);
  auto child = spawn_monitor({.program = sandbox::program_path("twinbox-vmm").string(),
                              .config_fd = file.get(),
                              .cpu_counter = sandbox::cpu_counter(),
                              .inherited = inherited_by(config, file.get()),
                              .dies_with_parent = life == DiesWith::starter});
  return {.pid = child.pid, .pidfd = std::move(child.pidfd), .report = std::move(ours)};
}

MonitorProcess::MonitorProcess(base::EventLoop& loop, MachineConfig config, EndHandler on_end,
                               MarkHandler on_mark)
    : MonitorProcess(loop, start_monitor(std::move(config), DiesWith::starter), std::move(on_end),
                     std::move(on_mark)) {}

MonitorProcess::MonitorProcess(base::EventLoop& loop, RunningMonitor monitor, EndHandler on_end,
                               MarkHandler on_mark)
    : loop_(loop),
      on_end_(std::move(on_end)),
      on_mark_(std::move(on_mark)),
      monitor_(std::move(monitor)),
      running_(true) {
  base::set_nonblocking(monitor_.report.get(), true);
  loop_.add(monitor_.report.get(), EPOLLIN, [this](std::uint32_t) { read_report(); });
  loop_.add(monitor_.pidfd.get(), EPOLLIN, [this](std::uint32_t) { process_gone(); });
}

MonitorProcess::~MonitorProcess() {
  if (monitor_.report) loop_.remove(monitor_.report.get());
  if (!running_) return;
  loop_.remove(monitor_.pidfd.get());
  kill();
  wait_for_end();
}

// The status, where it is a child; another's is reaped by that one.
std::optional<int> MonitorProcess::wait_for_end() {
  if (monitor_.child) return base::wait_for(monitor_.pid);
  pollfd gone{monitor_.pidfd.get(), POLLIN, 0};
  while (::poll(&gone, 1, -1) < 0 && errno == EINTR) {
  }
  return std::nullopt;
}

void MonitorProcess::stop() {
  if (running_) send_signal(monitor_.pidfd.get(), SIGTERM);
}

void MonitorProcess::kill() {
  if (running_) send_signal(monitor_.pidfd.get(), SIGKILL);
}

void MonitorProcess::order(const Order& order, sandbox::Done done) {
  const auto line = order_line(order);
  if (!monitor_.report || !base::send_some(monitor_.report.get(), std::as_bytes(std::span(line)))) {
    throw base::Error(base::ErrorKind::system, "the monitor takes no orders");
  }
  orders_.push_back(std::move(done));
}

// A monitor that was killed with an order unread resets the connection; that is an end like any.
std::optional<std::size_t> MonitorProcess::receive(std::span<std::byte> buffer) {
  try {
    return base::receive_some(monitor_.report.get(), buffer);
  } catch (const base::Error& error) {
    report_error_ = error.message();
    return 0;
  }
}

void MonitorProcess::read_report() {
  std::array<std::byte, 4096> buffer{};
  while (const auto count = receive(buffer)) {
    if (*count == 0) {
      loop_.remove(monitor_.report.get());
      monitor_.report.reset();
      return;
    }
    take_report({reinterpret_cast<const char*>(buffer.data()), *count});
  }
}

void MonitorProcess::take_report(std::string_view bytes) {
  const sandbox::Marks before = marks();
  const auto done_before = parser_.report().orders_done.size();
  try {
    parser_.feed(bytes);
  } catch (const base::Error& error) {
    report_error_ = error.message();
  }
  const auto done = parser_.report().orders_done;
  for (auto next = done_before; next < done.size() && !orders_.empty(); ++next) {
    const auto answer = std::move(orders_.front());
    orders_.pop_front();
    if (done[next]) {
      answer(*done[next]);
    } else {
      answer(std::monostate{});
    }
  }
  for (std::size_t i = 0; on_mark_ && i < sandbox::mark_count; ++i) {
    const auto mark = static_cast<sandbox::Mark>(i);
    if (!before.at(mark) && marks().at(mark)) on_mark_(mark);
  }
}

void MonitorProcess::process_gone() {
  loop_.remove(monitor_.pidfd.get());
  const auto status = wait_for_end();
  running_ = false;
  // All it wrote is in the pipe by now, even when the loop saw the process first.
  if (monitor_.report) read_report();
  if (monitor_.report) {
    loop_.remove(monitor_.report.get());
    monitor_.report.reset();
  }
  auto& report = parser_.report();
  for (const auto& answer : std::exchange(orders_, {})) {
    answer(base::Error(base::ErrorKind::system, "the machine has ended"));
  }
  if (!report.end) report.end = lost(monitor_.pid, status, report_error_);
  // The handler may destroy this object: what it is given must outlive that.
  const MonitorReport final_report = report;
  const EndHandler on_end = std::move(on_end_);
  on_end(final_report);
}

}  // namespace twinbox::vmm
