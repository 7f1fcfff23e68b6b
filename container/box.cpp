#include "container/box.hpp"

#include <csignal>
#include <utility>

#include "base/log.hpp"
#include "container/changes.hpp"
#include "container/exec.hpp"
#include "container/leftovers.hpp"
#include "container/process_list.hpp"

namespace twinbox::container {
namespace {

InitPlan make_plan(sandbox::BoxRequest request, Isolation isolation) {
  InitPlan plan;
  plan.writable = request.keep_files ? WritableLayer::disk : WritableLayer::memory;
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

// A group whose devices are controlled already stays so.
bool suits(const Spares& spares, const sandbox::Spec& spec) {
  if (!spares.devices_controlled) return true;
  return !spec.all_devices && device_rules(spec.devices) == spares.rules;
}

}  // namespace

ProcessBox::ProcessBox(sandbox::BoxRequest request, Isolation isolation, DeviceControl devices,
                       std::optional<Spares> spares)
    : id_(request.id),
      on_executed_(request.on_executed),
      plan_(make_plan(std::move(request), isolation)),
      devices_(devices),
      spares_(std::move(spares)) {
  check(plan_);
}

ProcessBox::~ProcessBox() {
  if (!init_ || !init_->running()) return;
  try {
    // Killed, it still has to go on in order to end.
    send_signal(init_->pidfd(), SIGKILL);
    if (frozen_) cgroup_.freeze(false);
  } catch (const base::Error& error) {
    base::log(base::LogLevel::warning, "cannot end box {}: {}", id_, error.what());
  }
  init_.reset();
  undo();
}

void ProcessBox::make_groups() {
  if (spares_ && !suits(*spares_, plan_.spec)) spares_.reset();
  if (spares_) {
    cgroup_ = std::move(spares_->cgroup);
    cgroup_.limit(plan_.spec.resources);
    plan_.network = spares_->network.get();
  } else {
    cgroup_ = Cgroup::make(plan_.cgroups, id_, plan_.spec.resources);
  }
  plan_.cgroup_joins = cgroup_.joins();
  plan_.devices_controlled = true;
  if (!plan_.spec.all_devices && !(spares_ && spares_->devices_controlled)) control_devices();
}

void ProcessBox::control_devices() {
  try {
    cgroup_.control_devices(device_rules(plan_.spec.devices));
  } catch (const base::Error& error) {
    const bool can_do_without = devices_ == DeviceControl::where_possible;
    if (error.kind() != base::ErrorKind::unsupported || !can_do_without) throw;
    plan_.devices_controlled = false;
  }
}

Launched ProcessBox::launch() {
  if (spares_ && spares_->init && spares_->init->suits(plan_)) {
    try {
      return std::move(*spares_->init).go_on(plan_);
    } catch (const base::Error&) {
      // It has been killed meanwhile, where memory lacked for one.
    }
  }
  if (spares_) spares_->init.reset();  // it may use the same directory
  return launch_init(plan_, cgroup_.clone_target());
}

void ProcessBox::start(base::EventLoop& loop, ExitHandler on_exit) {
  if (plan_.isolation == Isolation::full) make_groups();
  auto launched = launch();
  spares_.reset();
  marks_.stamp(sandbox::Mark::created);
  loop_ = &loop;
  on_exit_ = std::move(on_exit);
  const auto& process = plan_.spec.process;
  init_.emplace(
      loop, std::move(launched), process.args.front(),
      process.terminal ? plan_.stdio : sandbox::Stdio{-1, -1, -1},
      Child::Handlers{.on_ready =
                          [this](const sandbox::Stamp& stamp, std::uint64_t mount_namespace) {
                            marks_.stamp(sandbox::Mark::booted, stamp);
                            mount_namespace_ = mount_namespace;
                          },
                      .on_executed =
                          [this] {
                            marks_.stamp(sandbox::Mark::executed);
                            if (on_executed_) on_executed_();
                          },
                      .on_end = [this](const Child::Ended& ended) { on_end(ended); }});
  for (const int number : std::exchange(kept_signals_, {})) init_->signal(number);
}

void ProcessBox::signal(int number) {
  if (!init_) return kept_signals_.push_back(number);
  init_->signal(number);
  if (number == SIGKILL && std::exchange(frozen_, false)) cgroup_.freeze(false);
}

void ProcessBox::resize(sandbox::TerminalSize size) {
  if (init_) init_->resize(size);
}

std::unique_ptr<sandbox::BoxProcess> ProcessBox::exec(sandbox::ExecRequest request) {
  if (!init_ || !init_->executed()) {
    throw base::Error(base::ErrorKind::conflict, fmt::format("box {} does not run", id_));
  }
  return start_exec(*loop_, {plan_, cgroup_, init_->pid(), init_->pidfd()}, std::move(request));
}

void ProcessBox::require_groups(std::string_view what) const {
  if (plan_.isolation == Isolation::full) return;
  throw base::Error(base::ErrorKind::unsupported,
                    fmt::format("the engine process {}: it makes no control groups", what),
                    "use --as container");
}

void ProcessBox::pause(sandbox::Done done) {
  require_groups("cannot pause a box");
  cgroup_.freeze(true);
  frozen_ = true;
  done(std::monostate{});
}

void ProcessBox::resume(sandbox::Done done) {
  require_groups("cannot pause a box");
  cgroup_.freeze(false);
  frozen_ = false;
  done(std::monostate{});
}

void ProcessBox::statistics(sandbox::Answer<sandbox::Statistics> answer) {
  require_groups("keeps no statistics");
  auto result = cgroup_.statistics();
  if (init_) add_network_counters(init_->pid(), result);
  answer(result);
}

void ProcessBox::list_processes(sandbox::Answer<std::vector<sandbox::ProcessEntry>> answer) {
  require_groups("does not know a box's processes");
  answer(describe_processes(processes()));
}

void ProcessBox::list_changes(sandbox::Answer<std::vector<sandbox::FileChange>> answer) {
  if (!init_ || !init_->upper()) {
    throw base::Error(base::ErrorKind::conflict, fmt::format("box {} does not run yet", id_));
  }
  answer(find_changes(init_->upper().get(), plan_.layers, mount_places(plan_.spec)));
}

void ProcessBox::update(const sandbox::Resources& limits, sandbox::Done done) {
  require_groups("has no limits");
  cgroup_.limit(limits);
  done(std::monostate{});
}

void ProcessBox::on_end(const Child::Ended& ended) {
  const auto result = outcome(ended);
  undo();
  marks_.stamp(sandbox::Mark::gone);
  const auto handler = std::move(on_exit_);
  handler(result);  // may destroy this box
}

sandbox::Outcome ProcessBox::outcome(const Child::Ended& ended) const {
  sandbox::Outcome result;
  result.oom_killed = cgroup_.saw_oom_kill();
  result.status = ended.status;
  if (ended.failure) {
    result.status = ended.failure->status;
    result.error = ended.failure->error;
  } else if (!ended.executing) {
    result.status = sandbox::status_own_error;
    result.error = killed_in_setup(ended.status, result.oom_killed);
  }
  return result;
}

base::Error ProcessBox::killed_in_setup(int status, bool oom_killed) const {
  return {base::ErrorKind::system,
          fmt::format("box {} ended with status {} while it was being set up", id_, status),
          oom_killed ? "its memory limit is too small even to start: give it more" : ""};
}

std::vector<pid_t> ProcessBox::processes() const {
  if (!init_ || !init_->running()) return {};
  std::vector<pid_t> found{init_->pid()};
  for (const auto pid : cgroup_.processes()) {
    if (pid != init_->pid()) found.push_back(pid);
  }
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
