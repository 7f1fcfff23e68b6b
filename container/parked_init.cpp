#include "container/parked_init.hpp"

#include <linux/sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/error.hpp"
#include "base/syscall.hpp"
#include "container/init.hpp"
#include "container/plan_message.hpp"

namespace twinbox::container {
namespace {

constexpr char waits = 'w';

bool says_that_it_waits(int report) {
  char said = 0;
  while (::recv(report, &said, 1, 0) < 0) {
    if (errno != EINTR) return false;
  }
  return said == waits;
}

}  // namespace

ParkedInit::ParkedInit(InitPlan early, int cgroup) {
  early.spec = sandbox::default_spec();
  launched_ = launch(namespaces_of(early), cgroup, [&](int report, int parent_end) {
    run_parked_init(early, report, parent_end, [report] {
      base::write_all(report, std::string_view(&waits, 1));
      return receive_plan(report);
    });
  });
  base::set_nonblocking(launched_.report.get(), false);
  if (!says_that_it_waits(launched_.report.get())) {
    end();
    throw base::Error(base::ErrorKind::system, "a box's process cannot be made ahead");
  }
}

ParkedInit::~ParkedInit() { end(); }

void ParkedInit::end() {
  if (!launched_.pidfd) return;
  // Whoever reaps all children may have waited for it already: its number says nothing.
  ::syscall(SYS_pidfd_send_signal, launched_.pidfd.get(), SIGKILL, nullptr, 0);
  siginfo_t info{};
  ::waitid(P_PIDFD, static_cast<id_t>(launched_.pidfd.get()), &info, WEXITED);
}

bool ParkedInit::suits(const InitPlan& plan) {
  const auto& spec = plan.spec;
  return sandbox::has_standard_parts(spec) && spec.sysctl.empty() && spec.devices.empty() &&
         !spec.all_devices;
}

Launched ParkedInit::go_on(const InitPlan& plan) && {
  send_plan(launched_.report.get(), plan);
  base::set_nonblocking(launched_.report.get(), true);
  return std::move(launched_);
}

}  // namespace twinbox::container
