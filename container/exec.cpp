#include "container/exec.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <utility>

#include "base/error.hpp"
#include "base/syscall.hpp"
#include "container/file_task.hpp"
#include "container/init.hpp"

namespace twinbox::container {
namespace {

struct ExecPlan {
  InitPlan program;  // the box's, with the process in place of its first one
  int init_pidfd;
  base::Fd root;  // of the box's first process
  Successor successor;
};

void enter_box(const ExecPlan& plan) {
  // The pid namespace will be that of children only.
  const int namespaces = plan.program.isolation == Isolation::full
                             ? CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET |
                                   CLONE_NEWCGROUP | CLONE_NEWPID
                             : CLONE_NEWNS;
  if (::setns(plan.init_pidfd, namespaces) != 0) base::throw_errno("cannot enter the box");
  if (::fchdir(plan.root.get()) != 0 || ::chroot(".") != 0) {
    base::throw_errno("cannot enter the box's root");
  }
}

[[noreturn]] void run_exec(const ExecPlan& plan, int report, int parent_end) {
  run_child(report, parent_end, [&](int& own_report) {
    // Nobody may look into this process, nor its successor, while it still is the runtime's.
    ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    for (const int join : plan.program.cgroup_joins) base::write_all(join, "0");
    if (plan.program.isolation == Isolation::full) {
      become_program_inside(
          plan.program, {plan.root.get(), [&] { enter_box(plan); }, plan.successor}, own_report);
    } else {
      enter_box(plan);
      become_program(plan.program, Role::further, own_report);
    }
  });
}

Launched launch_exec(ExecPlan plan, int cgroup) {
  if (plan.program.isolation == Isolation::full) plan.successor = Successor::expected();
  auto launched =
      launch(0, cgroup, [&](int report, int parent_end) { run_exec(plan, report, parent_end); });
  launched.successor = std::move(plan.successor);
  return launched;
}

class ExecProcess : public sandbox::BoxProcess {
 public:
  ExecProcess(base::EventLoop& loop, Launched launched, const sandbox::ExecRequest& request)
      : child_(
            loop, std::move(launched), request.task ? std::string() : request.process.args.front(),
            request.process.terminal && !request.task ? request.stdio : sandbox::Stdio{-1, -1, -1},
            {.on_ready = {},
             .on_executed = request.on_executed,
             .on_end = [on_exit = request.on_exit](const Child::Ended& ended) {
               on_exit(outcome(ended));
             }}) {}

  bool owns(pid_t pid) const override { return child_.owns(pid); }
  void signal(int number) override { child_.signal(number); }
  void resize(sandbox::TerminalSize size) override { child_.resize(size); }

 private:
  static sandbox::Outcome outcome(const Child::Ended& ended) {
    if (ended.failure) {
      return {.status = ended.failure->status, .oom_killed = false, .error = ended.failure->error};
    }
    if (ended.executing) return {.status = ended.status, .oom_killed = false, .error = {}};
    return {.status = sandbox::status_own_error,
            .oom_killed = false,
            .error = base::Error(
                base::ErrorKind::system,
                fmt::format("the process ended with status {} before it ran", ended.status))};
  }

  Child child_;
};

}  // namespace

std::unique_ptr<sandbox::BoxProcess> start_exec(base::EventLoop& loop, const RunningInit& init,
                                                sandbox::ExecRequest request) {
  auto root = base::open_file(fmt::format("/proc/{}/root", init.pid), O_PATH | O_DIRECTORY);
  if (request.task) {
    auto launched = launch_file_task(
        0, [&] { return std::move(root); }, *request.task, request.stdio);
    return std::make_unique<ExecProcess>(loop, std::move(launched), request);
  }
  if (request.process.args.empty()) {
    throw base::Error(base::ErrorKind::usage, "there is no command to run");
  }
  ExecPlan plan{
      .program = init.plan, .init_pidfd = init.pidfd, .root = std::move(root), .successor = {}};
  plan.program.spec.process = request.process;
  plan.program.stdio = request.stdio;
  plan.program.cgroup_joins = init.cgroup.joins();
  return std::make_unique<ExecProcess>(
      loop, launch_exec(std::move(plan), init.cgroup.clone_target()), request);
}

}  // namespace twinbox::container
