#include "container/launcher.hpp"

#include <linux/sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.hpp"
#include "base/syscall.hpp"
#include "container/init.hpp"

namespace twinbox::container {
namespace {

// No handler of ours may run in the child, and no signal may be lost before the child is ready to
// be itself; run_init unblocks them.
class BlockedSignals {
 public:
  BlockedSignals() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  BlockedSignals(const BlockedSignals&) = delete;
  BlockedSignals& operator=(const BlockedSignals&) = delete;
  ~BlockedSignals() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_{};
};

}  // namespace

Launched launch(std::uint64_t namespaces, int cgroup, const ChildEntry& entry) {
  auto [report, child_report] = base::make_socket_pair();
  int pidfd = -1;
  clone_args arguments{};
  arguments.flags = namespaces | CLONE_PIDFD;
  arguments.pidfd = reinterpret_cast<std::uint64_t>(&pidfd);
  arguments.exit_signal = SIGCHLD;
  if (cgroup >= 0) {
    arguments.flags |= CLONE_INTO_CGROUP;
    arguments.cgroup = static_cast<std::uint64_t>(cgroup);
  }
  const BlockedSignals blocked;
  const auto pid = static_cast<pid_t>(::syscall(SYS_clone3, &arguments, sizeof arguments));
  if (pid < 0) base::throw_errno("cannot make a process of a box");
  if (pid == 0) entry(child_report.get(), report.get());
  base::set_nonblocking(report.get(), true);
  return {.pid = pid, .pidfd = base::Fd(pidfd), .report = std::move(report)};
}

// The cgroup namespace is made later, by the child, inside its groups.
std::uint64_t namespaces_of(const InitPlan& plan) {
  if (plan.isolation == Isolation::none) return CLONE_NEWNS;
  const std::uint64_t network = plan.network < 0 ? CLONE_NEWNET : 0;
  return CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC | network;
}

Launched launch_init(const InitPlan& plan, int cgroup) {
  return launch(namespaces_of(plan), cgroup,
                [&](int report, int parent_end) { run_init(plan, report, parent_end); });
}

}  // namespace twinbox::container
