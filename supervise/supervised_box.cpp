#include "supervise/supervised_box.hpp"

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <utility>

#include "base/log.hpp"
#include "supervise/events.hpp"
#include "supervise/time.hpp"

namespace twinbox::supervise {
namespace {

using sandbox::Done;
using namespace std::chrono_literals;

// docker's: doubled with each restart, and forgotten after a run of ten seconds.
constexpr auto first_back_off = 100ms;
constexpr std::chrono::milliseconds longest_back_off = 60s;
constexpr std::int64_t long_run_ns = 10'000'000'000;

}  // namespace

SupervisedBox::SupervisedBox(base::EventLoop& loop, OwnedBox box,
                             std::unique_ptr<sandbox::Engine> engine, sandbox::RootFilesystem root,
                             std::function<void()> on_finished)
    : loop_(loop),
      box_(std::move(box)),
      engine_(std::move(engine)),
      root_(std::move(root)),
      on_finished_(std::move(on_finished)),
      output_(loop, LogWriter(box_->path() / "log")),
      back_off_(first_back_off) {}

SupervisedBox::~SupervisedBox() {
  cancel_timer(kill_timer_);
  cancel_timer(restart_timer_);
}

void SupervisedBox::start(Done done) {
  require(Action::start, record().state.status, record().name);
  start_done_ = std::move(done);
  box_->change([](BoxRecord& record) { record.state.supervisor = ::getpid(); });
  launch();
}

void SupervisedBox::launch() {
  ended_by_hand_ = false;
  run_ = std::make_unique<Run>(
      loop_, output_, record().settings.open_stdin,
      Run::Handlers{.on_executed = [this] { on_executed(); },
                    .on_end = [this](const sandbox::Outcome& outcome) { on_run_end(outcome); }});
  sandbox::BoxRequest request{.id = record().id,
                              .directory = box_->path(),
                              .spec = box_->spec(),
                              .root = root_,
                              .stdio = {},
                              .on_executed = {},
                              .keep_files = !record().settings.remove_at_end};
  run_->start(*engine_, std::move(request));
}

void SupervisedBox::on_executed() {
  const auto processes = run_->box().processes();
  box_->change([&](BoxRecord& record) {
    auto& state = record.state;
    state.status = Status::running;
    state.pid = processes.empty() ? 0 : processes.front();
    state.started = now();
    state.exit_code = 0;
    state.oom_killed = false;
    state.error.clear();
  });
  emit(record(), "start");
  if (const auto done = std::exchange(start_done_, std::nullopt)) (*done)(std::monostate{});
}

void SupervisedBox::on_run_end(const sandbox::Outcome& outcome) {
  const Ended ended{outcome, run_->executed() ? run_->box().marks() : sandbox::Marks()};
  const bool executed = run_->executed();
  cancel_timer(kill_timer_);
  end_exec_processes();
  run_.reset();
  record_end(outcome);
  if (const auto done = executed ? std::nullopt : std::exchange(start_done_, std::nullopt)) {
    ended_by_hand_ = true;  // one that could not be started is not tried again
    (*done)(outcome.error.value_or(base::Error(base::ErrorKind::system, "it was ended")));
  }
  const bool again = restart_wanted_ || wants_restart(outcome);
  if (!again) return finish(ended);
  for (const auto& handler : std::exchange(end_handlers_, {})) handler(ended);
  if (std::exchange(restart_wanted_, false)) return launch();
  restart_later();
}

void SupervisedBox::record_end(const sandbox::Outcome& outcome) {
  const bool ran = record().state.status != Status::created;
  box_->change([&](BoxRecord& record) {
    auto& state = record.state;
    if (ran) state.status = Status::exited;
    state.pid = 0;
    state.exit_code = outcome.status;
    state.oom_killed = outcome.oom_killed;
    state.error = outcome.error ? outcome.error->message() : "";
    state.finished = now();
  });
  if (!ran) return;
  if (outcome.oom_killed) emit(record(), "oom");
  emit(record(), "die", {{"exitCode", std::to_string(outcome.status)}});
}

bool SupervisedBox::wants_restart(const sandbox::Outcome& outcome) const {
  using Kind = RestartPolicy::Kind;
  const auto& policy = record().settings.restart;
  if (ended_by_hand_ || policy.kind == Kind::no) return false;
  if (policy.kind != Kind::on_failure) return true;
  return outcome.status != 0 &&
         (policy.maximum_retries == 0 || record().state.restart_count < policy.maximum_retries);
}

void SupervisedBox::restart_later() {
  const auto& state = record().state;
  if (state.finished - state.started > long_run_ns) back_off_ = first_back_off;
  box_->change([](BoxRecord& record) { record.state.status = Status::restarting; });
  restart_timer_ = loop_.add_timer(back_off_, [this] {
    restart_timer_.reset();
    box_->change([](BoxRecord& record) { ++record.state.restart_count; });
    launch();
  });
  back_off_ = std::min(back_off_ * 2, longest_back_off);
}

// The record is at rest and let go of before anybody is told, so that what they do next finds it
// so.
void SupervisedBox::finish(const Ended& ended) {
  finished_ = true;
  const bool removed = remove_wanted_ || record().settings.remove_at_end;
  ::unlink((box_->path() / "control.sock").c_str());
  if (removed) {
    emit(record(), "destroy");
    box_->remove();
  } else {
    box_->change([](BoxRecord& record) { record.state.supervisor = 0; });
  }
  box_.reset();
  for (const auto& handler : std::exchange(end_handlers_, {})) handler(ended);
  for (const auto& done : std::exchange(stop_done_, {})) done(std::monostate{});
  on_finished_();
}

void SupervisedBox::end_by_hand() {
  ended_by_hand_ = true;
  if (!restart_timer_) return;
  cancel_timer(restart_timer_);
  box_->change([](BoxRecord& record) { record.state.status = Status::exited; });
  loop_.add_timer({}, [this] {
    sandbox::Outcome outcome{.status = record().state.exit_code, .oom_killed = false, .error = {}};
    finish({outcome, {}});
  });
}

void SupervisedBox::stop(std::optional<int> timeout, std::optional<int> signal, Done done) {
  if (!run_ && !restart_timer_) return done(std::monostate{});
  stop_done_.push_back(std::move(done));
  emit(record(), "stop");
  end_by_hand();
  signal_stop(signal.value_or(record().settings.stop_signal), timeout);
}

void SupervisedBox::signal_stop(int number, std::optional<int> timeout) {
  if (!run_) return;
  run_->box().signal(number);
  if (record().state.status == Status::paused) unpause([](const auto&) {});
  const int seconds = timeout.value_or(record().settings.stop_timeout);
  if (seconds < 0) return;
  cancel_timer(kill_timer_);
  kill_timer_ = loop_.add_timer(std::chrono::seconds(seconds), [this] {
    kill_timer_.reset();
    if (run_) run_->box().signal(SIGKILL);
  });
}

void SupervisedBox::restart(std::optional<int> timeout, std::optional<int> signal, Done done) {
  emit(record(), "restart");
  start_done_ = std::move(done);
  if (restart_timer_) {
    cancel_timer(restart_timer_);
    return launch();
  }
  restart_wanted_ = true;
  signal_stop(signal.value_or(record().settings.stop_signal), timeout);
}

void SupervisedBox::kill(int number) {
  require(Action::kill, record().state.status, record().name);
  emit(record(), "kill", {{"signal", std::to_string(number)}});
  if (number == SIGKILL || number == record().settings.stop_signal) end_by_hand();
  if (run_) run_->box().signal(number);
}

void SupervisedBox::signal(int number) {
  if (run_) run_->box().signal(number);
}

void SupervisedBox::resize(sandbox::TerminalSize size) {
  if (run_ && run_->executed()) run_->box().resize(size);
}

void SupervisedBox::pause(Done done) {
  running_box(Action::pause).pause([this, done = std::move(done)](const auto& answer) {
    if (!std::holds_alternative<base::Error>(answer) && box_) {
      box_->change([](BoxRecord& record) { record.state.status = Status::paused; });
      emit(record(), "pause");
    }
    done(answer);
  });
}

void SupervisedBox::unpause(Done done) {
  running_box(Action::unpause).resume([this, done = std::move(done)](const auto& answer) {
    if (!std::holds_alternative<base::Error>(answer) && box_ && run_) {
      box_->change([](BoxRecord& record) { record.state.status = Status::running; });
      emit(record(), "unpause");
    }
    done(answer);
  });
}

sandbox::Box& SupervisedBox::running_box(Action action) {
  require(action, record().state.status, record().name);
  if (run_ && run_->executed()) return run_->box();
  throw base::Error(base::ErrorKind::conflict,
                    fmt::format("box {} is being started", record().name), "try again in a moment");
}

void SupervisedBox::update(const sandbox::Resources& limits, std::optional<RestartPolicy> policy,
                           Done done) {
  const auto write_down = [this, limits, policy] {
    auto spec = box_->spec();
    sandbox::merge(spec.resources, limits);
    box_->write_spec(spec);
    box_->change([&](BoxRecord& record) {
      if (policy) record.settings.restart = *policy;
    });
    emit(record(), "update");
  };
  if (!run_ || !run_->executed() || limits == sandbox::Resources{}) {
    write_down();
    return done(std::monostate{});
  }
  run_->box().update(limits, [this, write_down, done = std::move(done)](const auto& answer) {
    if (!std::holds_alternative<base::Error>(answer) && box_) write_down();
    done(answer);
  });
}

void SupervisedBox::rename(const std::string& name) {
  const auto old_name = record().name;
  box_->rename(name);
  emit(record(), "rename", {{"oldName", old_name}});
}

void SupervisedBox::remove(Done done) {
  remove_wanted_ = true;
  stop_done_.push_back(std::move(done));
  end_by_hand();
  if (run_) {
    run_->box().signal(SIGKILL);
  } else if (!restart_timer_ && !finished_) {
    finish({});
  }
}

void SupervisedBox::give_up() {
  if (!run_ && !restart_timer_ && !finished_) finish({});
}

void SupervisedBox::input_ended() {
  if (run_ && record().settings.stdin_once) run_->close_input();
}

std::shared_ptr<sandbox::ServedProcess> SupervisedBox::serve(
    const std::shared_ptr<sandbox::FrameConnection>& connection, std::uint32_t id) {
  served_.push_front({});
  const auto place = served_.begin();
  const auto gone = [this, place] { served_.erase(place); };
  *place = std::make_shared<sandbox::ServedProcess>(loop_, connection, id, gone);
  return *place;
}

// They died with the box; whoever waits for one is told so while the engine's objects are there
// yet.
void SupervisedBox::end_exec_processes() {
  for (const auto& served : served_) {
    served->end({.status = 128 + SIGKILL, .oom_killed = false, .error = {}});
  }
}

void SupervisedBox::cancel_timer(std::optional<base::EventLoop::TimerId>& timer) {
  if (const auto id = std::exchange(timer, std::nullopt)) loop_.cancel_timer(*id);
}

}  // namespace twinbox::supervise
