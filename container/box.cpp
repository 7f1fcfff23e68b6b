#include "container/box.hpp"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "base/log.hpp"
#include "base/syscall.hpp"
#include "container/leftovers.hpp"

namespace twinbox::container {
namespace {

InitPlan make_plan(sandbox::BoxRequest request, Isolation isolation) {
  InitPlan plan;
  plan.spec = std::move(request.spec);
  plan.layers = std::move(request.root.directories);
  plan.directory = std::filesystem::absolute(request.directory).lexically_normal();
  plan.stdio = request.stdio;
  plan.isolation = isolation;
  if (isolation == Isolation::full) plan.cgroups = host_cgroup_layout();
  return plan;
}

void check(const InitPlan& plan) {
  if (plan.spec.process.args.empty()) {
    throw base::Error(base::ErrorKind::usage, "there is no command to run");
  }
  if (plan.layers.empty()) {
    throw base::Error(base::ErrorKind::usage, "the image has no layer to run from");
  }
}

void send_signal(int pidfd, int number) {
  // ESRCH: it has ended, and its end is about to be seen.
  if (::syscall(SYS_pidfd_send_signal, pidfd, number, nullptr, 0) != 0 && errno != ESRCH) {
    base::throw_errno("cannot send signal {} to the workload", number);
  }
}

}  // namespace

ProcessBox::ProcessBox(sandbox::BoxRequest request, Isolation isolation)
    : id_(request.id),
      on_executed_(request.on_executed),
      plan_(make_plan(std::move(request), isolation)),
      decoder_(report_handlers()) {
  check(plan_);
}

ProcessBox::~ProcessBox() {
  if (state_ != State::setting_up && state_ != State::running) return;
  try {
    forget_watches();
    send_signal(launched_.pidfd.get(), SIGKILL);
    reap();
    undo();
  } catch (const base::Error& error) {
    base::log(base::LogLevel::warning, "cannot end box {}: {}", id_, error.what());
  }
}

void ProcessBox::start(base::EventLoop& loop, ExitHandler on_exit) {
  if (plan_.isolation == Isolation::full) {
    cgroup_ = Cgroup::make(plan_.cgroups, id_, plan_.spec.resources);
    plan_.cgroup_joins = cgroup_.joins();
  }
  launched_ = launch(plan_, cgroup_.clone_target());
  marks_.stamp(sandbox::Mark::created);
  state_ = State::setting_up;
  loop_ = &loop;
  on_exit_ = std::move(on_exit);
  // Only its end is worth waking up for, which epoll tells unasked; what was said before is in it.
  loop.add(launched_.report.get(), 0, [this](std::uint32_t) { read_reports(); });
  loop.add(launched_.pidfd.get(), EPOLLIN, [this](std::uint32_t) { on_process_end(); });
}

ReportHandlers ProcessBox::report_handlers() {
  return {
      .on_ready =
          [this](std::uint64_t time, std::uint64_t mount_namespace) {
            marks_.stamp(sandbox::Mark::booted, time);
            mount_namespace_ = mount_namespace;
          },
      .on_executing = [this] { executing_ = true; },
      .on_failed = [this](const Failure& failure) { failure_ = failure; },
      .on_exec_failed =
          [this](int error) { failure_ = exec_failure(error, plan_.spec.process.args.front()); },
  };
}

void ProcessBox::read_reports() {
  std::array<std::byte, 4096> buffer{};
  while (const auto count = base::read_some(launched_.report.get(), buffer)) {
    if (*count == 0) return on_reports_end();
    decoder_.feed(std::span(buffer).first(*count));
  }
}

void ProcessBox::on_reports_end() {
  loop_->remove(launched_.report.get());
  launched_.report.reset();
  if (!executing_ || failure_) return;  // the process is ending
  marks_.stamp(sandbox::Mark::executed);
  state_ = State::running;
  if (on_executed_) on_executed_();
  for (const int number : std::exchange(kept_signals_, {})) signal(number);
}

void ProcessBox::signal(int number) {
  if (state_ == State::running) {
    send_signal(launched_.pidfd.get(), number);
  } else if (state_ != State::ended) {
    kept_signals_.push_back(number);
  }
}

void ProcessBox::on_process_end() {
  // What it said before it ended may still be in the pipe.
  if (launched_.report) read_reports();
  const int wait_status = reap();
  forget_watches();
  const auto result = outcome(wait_status);
  undo();
  marks_.stamp(sandbox::Mark::gone);
  const auto handler = std::move(on_exit_);
  handler(result);  // may destroy this box
}

int ProcessBox::reap() {
  siginfo_t info{};
  const auto pidfd = static_cast<id_t>(launched_.pidfd.get());
  while (::waitid(P_PIDFD, pidfd, &info, WEXITED) != 0) {
    if (errno != EINTR) base::throw_errno("cannot wait for the workload of box {}", id_);
  }
  state_ = State::ended;
  return info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
}

void ProcessBox::forget_watches() {
  if (launched_.report) loop_->remove(launched_.report.get());
  loop_->remove(launched_.pidfd.get());
}

sandbox::Outcome ProcessBox::outcome(int status) const {
  sandbox::Outcome result;
  result.oom_killed = cgroup_.saw_oom_kill();
  result.status = status;
  if (failure_) {
    result.status = failure_->status;
    result.error = failure_->error;
  } else if (!executing_) {
    result.status = sandbox::status_own_error;
    result.error = killed_in_setup(status, result.oom_killed);
  }
  return result;
}

base::Error ProcessBox::killed_in_setup(int status, bool oom_killed) const {
  return {base::ErrorKind::system,
          fmt::format("box {} ended with status {} while it was being set up", id_, status),
          oom_killed ? "its memory limit is too small even to start: give it more" : ""};
}

std::vector<pid_t> ProcessBox::processes() const {
  if (state_ != State::setting_up && state_ != State::running) return {};
  auto found = cgroup_.processes();
  if (found.empty()) found.push_back(launched_.pid);
  return found;
}

// A pid namespace ends with its first process; without one, whoever is in the box's mount namespace
// is its own. The workload's status is worth telling even if this fails.
void ProcessBox::undo() {
  try {
    if (plan_.isolation == Isolation::none && mount_namespace_ != 0) {
      kill_processes_on_overlay(plan_.directory, mount_namespace_);
    }
    cgroup_.remove();
  } catch (const base::Error& error) {
    base::log(base::LogLevel::warning, "cannot undo box {}: {}", id_, error.what());
  }
}

}  // namespace twinbox::container
