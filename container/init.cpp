#include "container/init.hpp"

#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <exception>
#include <vector>

#include "base/error.hpp"
#include "base/syscall.hpp"
#include "container/command_lookup.hpp"
#include "container/exec_stub_image.hpp"
#include "container/handshake.hpp"
#include "container/process_setup.hpp"
#include "container/root_setup.hpp"
#include "sandbox/engine.hpp"

namespace twinbox::container {
namespace {

// The system call itself: what a library does at an exit is the parent's business.
[[noreturn]] void end(int status) {
  for (;;) ::syscall(SYS_exit_group, status);
}

// A parent that is killed takes the box with it. The kernel sends the signal only for deaths after
// this call, so look whether the parent, the only reader of the pipe, is there still.
void die_with_parent(int report) {
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) {
    base::throw_errno("cannot tie the box to its parent");
  }
  pollfd writer{report, 0, 0};
  if (::poll(&writer, 1, 0) > 0 && (writer.revents & POLLERR) != 0) end(128 + SIGKILL);
}

// The cgroup namespace comes last, for its root is the group that its maker is in.
void enter_cgroups(const InitPlan& plan) {
  for (const int join : plan.cgroup_joins) base::write_all(join, "0");
  if (::unshare(CLONE_NEWCGROUP) != 0) base::throw_errno("cannot make a cgroup namespace");
}

void set_hostname(const std::string& name) {
  if (!name.empty() && ::sethostname(name.data(), name.size()) != 0) {
    base::throw_errno("cannot set the host name to {}", name);
  }
}

std::uint64_t mount_namespace_inode() {
  struct stat info {};
  return ::stat("/proc/self/ns/mnt", &info) == 0 ? info.st_ino : 0;
}

void build_box(const InitPlan& plan, int report) {
  const auto mount_namespace = mount_namespace_inode();
  if (plan.isolation == Isolation::full) {
    // Nobody else may look into this process while it still is the runtime's.
    ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    enter_cgroups(plan);
    set_hostname(plan.spec.hostname);
    bring_up_loopback();
  }
  enter_root(plan);
  report_ready(report, mount_namespace);
}

std::vector<char*> pointers(const std::vector<std::string>& strings) {
  std::vector<char*> result;
  result.reserve(strings.size() + 1);
  for (const auto& text : strings) result.push_back(const_cast<char*>(text.c_str()));
  result.push_back(nullptr);
  return result;
}

// The stub takes the path, then the workload's arguments; see exec_stub.cpp for why it is there.
[[noreturn]] void execute(const sandbox::Process& process, const std::string& path) {
  auto arguments = process.args;
  arguments.insert(arguments.begin(), path);
  ::syscall(SYS_execveat, stub_descriptor, "", pointers(arguments).data(),
            pointers(process.env).data(), AT_EMPTY_PATH);
  throw exec_failure(errno, process.args.front());
}

void become_workload(const InitPlan& plan, int& report) {
  const auto& process = plan.spec.process;
  ::setsid();  // no controlling terminal: neither its signals nor its input queue
  ::umask(0022);
  reset_signals();
  set_resource_limits(process.rlimits);
  const auto stub = make_exec_stub();
  arrange_descriptors(plan.stdio, report, stub.get());
  report = report_abi::report_descriptor;
  enter_working_directory(process.cwd);
  if (plan.isolation == Isolation::full) {
    drop_privileges(plan.spec);
  } else {
    become_user(process.user);
  }
  die_with_parent(report);  // again, since changing the user cleared it
  execute(process, find_command(process.args.front(), process.env));
}

}  // namespace

void run_init(const InitPlan& plan, int report, int parent_end) {
  try {
    ::close(parent_end);
    die_with_parent(report);
    build_box(plan, report);
    become_workload(plan, report);
  } catch (const Failure& failure) {
    report_failure(report, failure);
  } catch (const base::Error& error) {
    report_failure(report, {sandbox::status_own_error, error});
  } catch (const std::exception& error) {
    report_failure(report, {sandbox::status_own_error, {base::ErrorKind::internal, error.what()}});
  }
  end(sandbox::status_own_error);
}

}  // namespace twinbox::container
