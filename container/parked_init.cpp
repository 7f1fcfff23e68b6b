#include "container/parked_init.hpp"

#include <linux/sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "base/error.hpp"
#include "base/syscall.hpp"
#include "container/handshake.hpp"
#include "container/init.hpp"
#include "container/plan_message.hpp"

namespace twinbox::container {
namespace {

// In place of a report, none of which begins with it.
constexpr std::string_view waits = "w";

// Returns when the process waits; throws why it does not.
void hear_that_it_waits(int report) {
  std::optional<base::Error> reason;
  ReportDecoder decoder({.on_ready = [](const sandbox::Stamp&, std::uint64_t) {},
                         .on_executing = [] {},
                         .on_failed = [&](const Failure& failure) { reason = failure.error; },
                         .on_exec_failed = [](int) {}});
  while (!reason) {
    const auto said = receive_report(report).value_or(Received{}).bytes;
    if (said == waits) return;
    if (said.empty()) {
      throw base::Error(base::ErrorKind::system,
                        "cannot make a box's process ahead: it has ended and not said why");
    }
    decoder.feed(std::as_bytes(std::span(said)));
  }
  throw base::Error(reason->kind(),
                    fmt::format("cannot make a box's process ahead: {}", reason->message()),
                    reason->hint());
}

}  // namespace

ParkedInit::ParkedInit(InitPlan early, int cgroup) {
  early.spec = sandbox::default_spec();
  launched_ = launch(namespaces_of(early), cgroup, [&](int report, int parent_end) {
    run_parked_init(early, report, parent_end, [report] {
      base::write_all(report, waits);
      return receive_plan(report);
    });
  });
  base::set_nonblocking(launched_.report.get(), false);
  try {
    hear_that_it_waits(launched_.report.get());
  } catch (const base::Error&) {
    end();
    throw;
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

void ParkedInit::make_root(const InitPlan& plan) {
  send_plan(launched_.report.get(), PlanPart::root, plan);
  hear_that_it_waits(launched_.report.get());
  root_ = plan;
  hostname_.emplace(launched_.pid);
}

bool ParkedInit::suits(const InitPlan& plan) const {
  const auto& spec = plan.spec;
  return (!root_ || suits_root(plan)) && sandbox::has_standard_parts(spec) && spec.sysctl.empty() &&
         spec.devices.empty() && !spec.all_devices;
}

// The filter lets nothing be mounted.
bool ParkedInit::suits_root(const InitPlan& plan) const {
  const auto& spec = plan.spec;
  return root_->layers == plan.layers && root_->directory == plan.directory &&
         root_->writable == plan.writable && root_->devices_controlled == plan.devices_controlled &&
         spec.seccomp == sandbox::Seccomp::standard && !spec.root_readonly &&
         !spec.process.terminal;
}

Launched ParkedInit::go_on(const InitPlan& plan) && {
  if (hostname_ && !plan.spec.hostname.empty()) hostname_->set(plan.spec.hostname);
  send_plan(launched_.report.get(), PlanPart::whole, plan);
  base::set_nonblocking(launched_.report.get(), true);
  return std::move(launched_);
}

}  // namespace twinbox::container
