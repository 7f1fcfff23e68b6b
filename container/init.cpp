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
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/syscall.hpp"
#include "container/command_lookup.hpp"
#include "container/exec_stub_image.hpp"
#include "container/handshake.hpp"
#include "container/process_setup.hpp"
#include "container/root_setup.hpp"
#include "container/terminal.hpp"
#include "sandbox/engine.hpp"

namespace twinbox::container {
namespace {

// A parent that is killed takes the box with it. The kernel sends the signal only for deaths after
// this call, so look whether the parent, the only reader of the socket, is there still.
void die_with_parent(int report) {
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) {
    base::throw_errno("cannot tie the box to its parent");
  }
  pollfd writer{report, 0, 0};
  if (::poll(&writer, 1, 0) > 0 && (writer.revents & (POLLERR | POLLHUP)) != 0) {
    end_child(128 + SIGKILL);
  }
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

void enter_network(const InitPlan& plan) {
  if (plan.network < 0) return bring_up_loopback();
  if (::setns(plan.network, CLONE_NEWNET) != 0) {
    base::throw_errno("cannot enter the network namespace");
  }
}

// What its undoing finds a plain process's box by; a container's ends with its first process.
std::uint64_t mount_namespace_inode(Isolation isolation) {
  if (isolation == Isolation::full) return 0;
  struct stat info {};
  return ::stat("/proc/self/ns/mnt", &info) == 0 ? info.st_ino : 0;
}

void enter_namespaces(const InitPlan& plan) {
  // Nobody else may look into this process while it still is the runtime's.
  ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  enter_cgroups(plan);
  enter_network(plan);
}

void build_box(const InitPlan& plan, int report) {
  const auto mount_namespace = mount_namespace_inode(plan.isolation);
  if (plan.isolation == Isolation::full) {
    enter_namespaces(plan);
    set_hostname(plan.spec.hostname);
  }
  enter_root(plan, report);
  report_ready(report, mount_namespace);
}

std::vector<char*> pointers(const std::vector<std::string>& strings) {
  std::vector<char*> result;
  result.reserve(strings.size() + 1);
  for (const auto& text : strings) result.push_back(const_cast<char*>(text.c_str()));
  result.push_back(nullptr);
  return result;
}

// See exec_stub.cpp for the stub's arguments, and why it is there.
[[noreturn]] void execute(const sandbox::Process& process, const std::string& path, bool init) {
  auto arguments = process.args;
  arguments.insert(arguments.begin(), {init ? "init" : "exec", path});
  ::syscall(SYS_execveat, last_descriptor, "", pointers(arguments).data(),
            pointers(process.env).data(), AT_EMPTY_PATH);
  throw exec_failure(errno, process.args.front());
}

}  // namespace

// The system call itself: what a library does at an exit is the parent's business.
void end_child(int status) {
  for (;;) ::syscall(SYS_exit_group, status);
}

namespace {

// What a process's streams are, and the program to execute first.
struct Belongings {
  sandbox::Stdio stdio;
  Terminal terminal;
  base::Fd stub;
};

Belongings gather(const InitPlan& plan, int root) {
  Belongings own{.stdio = plan.stdio, .terminal = {}, .stub = make_exec_stub()};
  const auto& process = plan.spec.process;
  if (process.terminal) {
    own.terminal = open_terminal(root, process.user, process.terminal_size);
    const int slave = own.terminal.slave.get();
    own.stdio = {slave, slave, slave};
  }
  return own;
}

// Nothing of the runtime's is open then, and `report` has another number.
void keep_only(Belongings own, int& report) {
  if (own.terminal.master) report_terminal(report, own.terminal.master.get());
  arrange_descriptors(own.stdio, report, own.stub.get());
  report = report_abi::report_descriptor;
  // Closed by now, and their numbers may be another's.
  for (auto* const closed : {&own.stub, &own.terminal.master, &own.terminal.slave}) {
    closed->release();
  }
}

void begin_program(const sandbox::Process& process) {
  ::setsid();  // no controlling terminal: neither its signals nor its input queue
  ::umask(0022);
  reset_signals();
  set_oom_score(process.oom_score_adj);
}

[[noreturn]] void end_setup(const InitPlan& plan, Role role, int report) {
  die_with_parent(report);  // again, since changing the user cleared it
  const auto& process = plan.spec.process;
  execute(process, find_command(process.args.front(), process.env),
          plan.spec.init && role == Role::first);
}

}  // namespace

void become_program(const InitPlan& plan, Role role, int& report) {
  const auto& process = plan.spec.process;
  begin_program(process);
  auto own = gather(plan, process.terminal ? base::open_file("/", O_PATH | O_DIRECTORY).get() : -1);
  if (own.terminal.slave && role == Role::first && plan.isolation == Isolation::full) {
    mount_console(own.terminal.slave.get());
  }
  keep_only(std::move(own), report);
  if (process.terminal) control_terminal(STDIN_FILENO);
  enter_working_directory(process.cwd, role);
  // Late, since none of the limits is for what comes before, and some would end it. Before the user
  // changes, whose processes are counted then.
  set_resource_limits(process.rlimits);
  if (plan.isolation == Isolation::full) {
    drop_privileges(plan);
  } else {
    become_user(process.user);
  }
  end_setup(plan, role, report);
}

void become_program_inside(const InitPlan& plan, const Entrance& entrance, int& report) {
  const auto& process = plan.spec.process;
  begin_program(process);
  auto own = gather(plan, entrance.root);
  entrance.enter();
  keep_only(std::move(own), report);
  enter_working_directory(process.cwd, Role::further);
  set_resource_limits_for_two(process.rlimits);
  drop_privileges(plan);
  entrance.successor.take_over();
  ::setsid();
  if (process.terminal) control_terminal(STDIN_FILENO);
  set_process_limit(process.rlimits);
  end_setup(plan, Role::further, report);
}

void run_child(int report, int parent_end, const std::function<void(int& report)>& body) {
  try {
    ::close(parent_end);
    die_with_parent(report);
    body(report);
  } catch (const Failure& failure) {
    report_failure(report, failure);
  } catch (const base::Error& error) {
    report_failure(report, {sandbox::status_own_error, error});
  } catch (const std::exception& error) {
    report_failure(report, {sandbox::status_own_error, {base::ErrorKind::internal, error.what()}});
  }
  end_child(sandbox::status_own_error);
}

void run_init(const InitPlan& plan, int report, int parent_end) {
  run_child(report, parent_end, [&](int& own_report) {
    build_box(plan, own_report);
    become_program(plan, Role::first, own_report);
  });
}

namespace {

// Of a box that is as boxes are: with the standard filter, and a command to be looked for in the
// usual directories, which the kernel knows then.
void make_rest_ahead(InitPlan& plan) {
  filter_ahead(plan);
  try {
    find_command("true", {});
  } catch (const Failure&) {
    // Not every image has one.
  }
}

}  // namespace

void run_parked_init(const InitPlan& early, int report, int parent_end,
                     const std::function<ToldPlan()>& wait) {
  run_child(report, parent_end, [&](int& own_report) {
    enter_namespaces(early);
    const auto furniture = make_furniture(early);
    auto told = wait();
    const auto upper = enter_furnished_root(told.plan, furniture.get());
    if (told.part == PlanPart::root) {
      make_rest_ahead(told.plan);
      const bool filtered = told.plan.filtered;
      told = wait();
      told.plan.filtered = filtered;
    } else {
      set_hostname(told.plan.spec.hostname);
      if (told.plan.spec.root_readonly) make_root_readonly();
    }
    const auto& plan = told.plan;
    report_upper(own_report, upper.get());
    report_ready(own_report, 0);
    become_program(plan, Role::first, own_report);
  });
}

}  // namespace twinbox::container
