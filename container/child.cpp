#include "container/child.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/log.hpp"
#include "base/syscall.hpp"

namespace twinbox::container {
namespace {

// Its status as a shell reports it.
int reap(const Launched& process) {
  siginfo_t info{};
  while (::waitid(P_PIDFD, static_cast<id_t>(process.pidfd.get()), &info, WEXITED) != 0) {
    if (errno != EINTR) base::throw_errno("cannot wait for process {}", process.pid);
  }
  return info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
}

base::Fd duplicate_if_open(int fd) { return base::Fd(::fcntl(fd, F_DUPFD_CLOEXEC, 3)); }

}  // namespace

void send_signal(int pidfd, int number) {
  // ESRCH: it has ended, and its end is about to be seen.
  if (::syscall(SYS_pidfd_send_signal, pidfd, number, nullptr, 0) != 0 && errno != ESRCH) {
    base::throw_errno("cannot send signal {} to the workload", number);
  }
}

Child::Child(base::EventLoop& loop, Launched launched, std::string command,
             const sandbox::Stdio& stdio, Handlers handlers)
    : loop_(loop),
      launched_(std::move(launched)),
      command_(std::move(command)),
      handlers_(std::move(handlers)),
      decoder_(report_handlers(), command_.empty() ? Worker::reporter : Worker::program),
      relay_in_(duplicate_if_open(stdio.in)),
      relay_out_(duplicate_if_open(stdio.out)) {
  // Only its end is worth waking up for, which epoll tells unasked; what was said before is in it.
  loop_.add(launched_.report.get(), 0, [this](std::uint32_t) { read_reports(); });
  watch_process();
}

Child::~Child() {
  if (state_ == State::ended) return;
  try {
    forget_watches();
    end_it();
    // One that is not reaped would keep its box from ending.
    if (const pid_t pid = launched_.successor.pid(); pid != 0) {
      launched_ = {.pid = pid, .pidfd = base::open_pidfd(pid), .report = {}};
      end_it();
    }
  } catch (const base::Error& error) {
    base::log(base::LogLevel::warning, "cannot end process {}: {}", launched_.pid, error.what());
  }
}

ReportHandlers Child::report_handlers() {
  return {
      .on_ready =
          [this](const sandbox::Stamp& stamp, std::uint64_t mount_namespace) {
            if (handlers_.on_ready) handlers_.on_ready(stamp, mount_namespace);
          },
      .on_executing = [this] { ended_.executing = true; },
      .on_terminal = [this] { take_terminal(); },
      .on_upper = [this] { upper_ = std::move(received_); },
      .on_failed = [this](const Failure& failure) { fail(failure); },
      .on_exec_failed = [this](int error) { fail(exec_failure(error, command_)); },
  };
}

void Child::take_terminal() {
  if (relay_out_) {
    terminal_ = std::move(received_);
  } else {
    fail({sandbox::status_own_error,
          {base::ErrorKind::internal, "a process that is to have no terminal reported one"}});
  }
}

// Most have nothing left to do but to end. One that another process of its box has taken over would
// never do so.
void Child::fail(Failure failure) {
  ended_.failure = std::move(failure);
  send_signal(launched_.pidfd.get(), SIGKILL);
}

void Child::watch_process() {
  loop_.add(launched_.pidfd.get(), EPOLLIN, [this](std::uint32_t) { on_process_end(); });
}

void Child::end_it() {
  send_signal(launched_.pidfd.get(), SIGKILL);
  reap(launched_);
}

// False where there is none, or it is followed already.
bool Child::follow_successor() {
  const pid_t pid = launched_.successor.pid();
  if (pid == 0) return false;
  auto pidfd = base::open_pidfd(pid);
  loop_.remove(launched_.pidfd.get());
  reap(launched_);  // it is at its end: all that it had left to do
  launched_ = {.pid = pid, .pidfd = std::move(pidfd), .report = std::move(launched_.report)};
  watch_process();
  if (ended_.failure) send_signal(launched_.pidfd.get(), SIGKILL);  // meant for it
  return true;
}

void Child::read_reports() {
  try {
    while (!ended_.failure) {
      auto report = receive_report(launched_.report.get());
      if (!report) return;
      if (report->descriptor) received_ = std::move(report->descriptor);
      if (report->bytes.empty()) break;
      decoder_.feed(std::as_bytes(std::span(report->bytes)));
    }
  } catch (const base::Error& error) {
    fail({sandbox::status_own_error, error});
  }
  on_reports_end();
}

void Child::on_reports_end() {
  loop_.remove(launched_.report.get());
  launched_.report.reset();
  follow_successor();  // whose program may run before its maker's end is seen
  if (terminal_) {
    relay_ = std::make_unique<TerminalRelay>(loop_, std::move(terminal_), std::move(relay_in_),
                                             std::move(relay_out_));
    if (kept_size_) relay_->resize(*kept_size_);
  }
  relay_in_.reset();
  relay_out_.reset();
  if (ended_.failure) return;
  // It is ending, or the other end was taken from it.
  if (!ended_.executing) return send_signal(launched_.pidfd.get(), SIGKILL);
  state_ = State::running;
  if (handlers_.on_executed) handlers_.on_executed();
  for (const int number : std::exchange(kept_signals_, {})) signal(number);
}

void Child::signal(int number) {
  if (state_ == State::running) {
    send_signal(launched_.pidfd.get(), number);
  } else if (state_ == State::setting_up) {
    kept_signals_.push_back(number);
  }
}

void Child::resize(sandbox::TerminalSize size) {
  if (relay_) return relay_->resize(size);
  kept_size_ = size;
}

void Child::on_process_end() {
  if (follow_successor()) return;
  // What it said before it ended may still be on the way.
  if (launched_.report) read_reports();
  forget_watches();
  ended_.status = reap(launched_);
  state_ = State::ended;
  if (relay_) return relay_->finish([this] { tell_end(); });
  tell_end();
}

void Child::tell_end() {
  relay_.reset();
  const auto handler = std::move(handlers_.on_end);
  const auto ended = std::move(ended_);
  handler(ended);  // may destroy this
}

void Child::forget_watches() {
  if (launched_.report) loop_.remove(launched_.report.get());
  launched_.report.reset();
  loop_.remove(launched_.pidfd.get());
}

}  // namespace twinbox::container
