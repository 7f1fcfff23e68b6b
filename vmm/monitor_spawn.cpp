#include "vmm/monitor_spawn.hpp"

#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <memory>

#include "base/error.hpp"
#include "base/syscall.hpp"

namespace twinbox::vmm {
namespace {

// What the child needs, prepared by the parent: the two share memory until the exec, so the child
// makes system calls only and writes nothing but `failed_step` and `error`.
struct ChildPlan {
  const char* program;
  char* const* arguments;
  const std::vector<int>* inherited;
  int null_fd;
  pid_t parent;
  bool dies_with_parent;
  const char* failed_step = nullptr;
  int error = 0;
};

bool inherits(const ChildPlan& plan, int fd) {
  return std::ranges::find(*plan.inherited, fd) != plan.inherited->end();
}

const char* arrange_descriptors(const ChildPlan& plan) {
  if (::syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC) != 0) return "close_range";
  for (const int fd : *plan.inherited) {
    if (::fcntl(fd, F_SETFD, 0) != 0) return "a descriptor of the configuration is not open";
  }
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO}) {
    // A monitor that holds the caller's streams would hold up their end.
    if (!inherits(plan, fd) && ::dup2(plan.null_fd, fd) < 0) return "dup2";
  }
  return nullptr;
}

const char* prepare_child(const ChildPlan& plan) {
  if (plan.dies_with_parent) {
    if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return "prctl";
  } else if (::setsid() < 0) {  // what a scheduler gives to a session is not shared by such
    return "setsid";
  }
  // The parent may have gone before the line above took effect.
  if (::getppid() != plan.parent) return "the parent is gone";
  sigset_t none;
  ::sigemptyset(&none);
  ::signal(SIGPIPE, SIG_DFL);
  if (const char* step = arrange_descriptors(plan)) return step;
  if (::sigprocmask(SIG_SETMASK, &none, nullptr) != 0) return "sigprocmask";
  ::execv(plan.program, plan.arguments);
  return "exec";
}

int child_main(void* argument) {
  auto& plan = *static_cast<ChildPlan*>(argument);
  plan.failed_step = prepare_child(plan);
  plan.error = errno;
  return 127;
}

// No signal handler of the parent may run in the child while both share memory.
class AllSignalsBlocked {
 public:
  AllSignalsBlocked() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_BLOCK, &all, &saved_);
  }
  AllSignalsBlocked(const AllSignalsBlocked&) = delete;
  AllSignalsBlocked& operator=(const AllSignalsBlocked&) = delete;
  ~AllSignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &saved_, nullptr); }

 private:
  sigset_t saved_{};
};

}  // namespace

SpawnedMonitor spawn_monitor(const SpawnRequest& request) {
  std::string program = request.program;
  std::string option = "--config-fd=" + std::to_string(request.config_fd);
  std::array<char*, 4> arguments{program.data(), option.data(), nullptr, nullptr};
  std::string counter;
  if (request.cpu_counter >= 0) {
    counter = "--cpu-counter=" + std::to_string(request.cpu_counter);
    arguments[2] = counter.data();
  }
  const base::Fd null_fd = base::open_file("/dev/null", O_RDWR);
  ChildPlan plan{program.c_str(), arguments.data(), &request.inherited,
                 null_fd.get(),   ::getpid(),       request.dies_with_parent};

  constexpr std::size_t stack_size = 64 * 1024;
  const auto stack = std::make_unique_for_overwrite<std::byte[]>(stack_size);
  int pidfd = -1;
  pid_t pid = -1;
  {
    const AllSignalsBlocked blocked;
    pid = ::clone(child_main, stack.get() + stack_size,
                  CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, &plan, &pidfd);
  }
  if (pid < 0) base::throw_errno("cannot start {}", program);
  SpawnedMonitor child{pid, base::Fd(pidfd)};
  if (plan.failed_step != nullptr) {
    base::wait_for(pid);
    throw base::system_error(plan.error,
                             fmt::format("cannot start {} ({})", program, plan.failed_step));
  }
  return child;
}

void send_signal(int pidfd, int number) {
  if (::syscall(SYS_pidfd_send_signal, pidfd, number, nullptr, 0) != 0 && errno != ESRCH) {
    base::throw_errno("cannot signal a process");
  }
}

}  // namespace twinbox::vmm
