#include "supervise/supervised_box.hpp"

#include <unistd.h>

#include <chrono>
#include <csignal>
#include <utility>

#include "base/log.hpp"
#include "supervise/events.hpp"
#include "supervise/time.hpp"

namespace twinbox::supervise {
namespace {

constexpr std::chrono::seconds note_interval{1};

using base::ErrorKind;
using sandbox::Done;

void answer_all(std::vector<Done>& questions,
                const std::variant<std::monostate, base::Error>& answer) {
  for (const auto& done : std::exchange(questions, {})) done(answer);
}

void cancel(base::EventLoop& loop, std::optional<base::EventLoop::TimerId>& timer) {
  if (const auto id = std::exchange(timer, std::nullopt)) loop.cancel_timer(*id);
}

base::Error why_not_started(const sandbox::Outcome& outcome, const std::string& name) {
  if (outcome.error) return *outcome.error;
  return {ErrorKind::system, fmt::format("box {} was ended before its workload ran", name)};
}

}  // namespace

SupervisedBox::SupervisedBox(base::EventLoop& loop, OwnedBox box,
                             std::unique_ptr<sandbox::Engine> engine, sandbox::RootFilesystem root,
                             std::filesystem::path saved)
    : loop_(loop),
      box_(std::move(box)),
      engine_(std::move(engine)),
      root_(std::move(root)),
      saved_(std::move(saved)),
      input_(record().settings.open_stdin),
      output_(loop, LogWriter(box_->path() / "log")) {}

SupervisedBox::~SupervisedBox() {
  cancel(loop_, kill_timer_);
  cancel(loop_, restart_timer_);
  cancel(loop_, note_timer_);
  cancel(loop_, executed_timer_);
}

// The box goes on where the disk is full; start() has seen to it that there was room at first.
void SupervisedBox::note(const std::function<void(BoxState&)>& change) {
  cancel(loop_, note_timer_);
  if (!box_->note([&](BoxRecord& record) { change(record.state); })) note_again();
}

// What was noted is written down once there is room.
void SupervisedBox::note_again() {
  note_timer_ = loop_.add_timer(note_interval, [this] {
    note_timer_.reset();
    if (box_) note([](BoxState&) {});
  });
}

void SupervisedBox::start(Done done) {
  require(Action::start, record().state.status, record().name);
  if (run_) {
    throw base::Error(ErrorKind::conflict, fmt::format("box {} is being started", record().name));
  }
  try {
    box_->change([](BoxRecord& record) {
      record.state.supervisor = ::getpid();
      record.state.restart_count = 0;
    });
  } catch (const base::Error& error) {
    done(error);
    return finish({{.status = sandbox::status_own_error, .oom_killed = false, .error = error}, {}});
  }
  start_done_.push_back(std::move(done));
  launch();
}

void SupervisedBox::launch() {
  stays_ended_ = false;
  executed_noted_ = false;
  run_ = std::make_unique<Run>(
      loop_, input_, output_,
      Run::Handlers{.on_executed = [this] { on_executed(); },
                    .on_end = [this](const sandbox::Outcome& outcome) { on_run_end(outcome); }});
  run_->start(*engine_, [this] { return make_request(); });
}

sandbox::BoxRequest SupervisedBox::make_request() const {
  return {.id = record().id,
          .directory = box_->path(),
          .spec = box_->spec(),
          .root = root_,
          .stdio = {},
          .on_executed = {},
          .keep_files = !record().settings.remove_at_end,
          .saved = saved_};
}

// What the workload has printed meanwhile, and what came with these news, is passed on first.
void SupervisedBox::on_executed() {
  loop_.defer([this, alive = std::weak_ptr(alive_)] {
    if (alive.expired() || !run_ || executed_noted_) return;
    executed_timer_ = loop_.add_timer({}, [this] { note_executed(); });
  });
}

void SupervisedBox::note_executed() {
  cancel(loop_, executed_timer_);
  executed_noted_ = true;
  const auto processes = run_->box().processes();
  note([&](BoxState& state) {
    state.status = Status::running;
    state.pid = processes.empty() ? 0 : processes.front();
    state.started = now();
    state.exit_code = 0;
    state.oom_killed = false;
    state.error.clear();
  });
  emit(record(), "start");
  if (std::exchange(restart_begun_, false)) emit(record(), "restart");
  answer_all(start_done_, std::monostate{});
}

void SupervisedBox::on_run_end(const sandbox::Outcome& outcome) {
  const bool executed = run_->executed();
  if (executed && !executed_noted_) note_executed();
  const Ended ended{outcome, executed ? run_->box().marks() : sandbox::Marks()};
  cancel(loop_, kill_timer_);
  end_exec_processes();
  run_.reset();
  input_.renew();
  record_end(outcome, executed);
  if (!executed) {  // one that could not be started is not tried again
    stay_ended();
    answer_all(start_done_, why_not_started(outcome, record().name));
  }
  const bool by_policy = !stays_ended_ && wants_restart(record().settings.restart, record().state);
  if (!restart_wanted_ && !by_policy) return finish(ended);
  for (const auto& handler : std::exchange(end_handlers_, {})) handler(ended);
  answer_all(stop_done_, std::monostate{});
  if (!restart_wanted_) return restart_later();
  launch_again();
}

void SupervisedBox::launch_again() {
  restart_wanted_ = false;
  restart_begun_ = true;
  launch();
}

void SupervisedBox::record_end(const sandbox::Outcome& outcome, bool executed) {
  note([&](BoxState& state) {
    if (state.status != Status::created) state.status = Status::exited;
    state.pid = 0;
    state.exit_code = outcome.status;
    state.oom_killed = outcome.oom_killed;
    state.error = outcome.error ? outcome.error->message() : "";
    if (executed) state.finished = now();
    // At once: nobody shall take it for one that has ended for good.
    const bool comes_back =
        executed && !stays_ended_ && wants_restart(record().settings.restart, state);
    if (comes_back && !restart_wanted_) state.status = Status::restarting;
  });
  if (!executed) return;
  if (outcome.oom_killed) emit(record(), "oom");
  emit(record(), "die", {{"exitCode", std::to_string(outcome.status)}});
  if (std::exchange(stop_wanted_, false)) emit(record(), "stop");
}

void SupervisedBox::restart_later() {
  const auto& state = record().state;
  const auto delay = back_off_.next(std::chrono::nanoseconds(state.finished - state.started));
  restart_timer_ = loop_.add_timer(delay, [this] {
    restart_timer_.reset();
    note([](BoxState& changed) { ++changed.restart_count; });
    launch();
  });
}

// The box is let go of before anybody is told, so that what they do next finds it at rest.
void SupervisedBox::finish(const Ended& ended) {
  const auto name = record().name;
  let_go();
  for (const auto& handler : std::exchange(end_handlers_, {})) handler(ended);
  answer_all(stop_done_, std::monostate{});
  answer_all(start_done_,
             base::Error(ErrorKind::conflict, fmt::format("box {} was stopped meanwhile", name)));
}

void SupervisedBox::let_go() {
  ::unlink((box_->path() / "control.sock").c_str());
  const bool removed = remove_wanted_ || record().settings.remove_at_end;
  note([&](BoxState& state) {
    if (state.status == Status::restarting) state.status = Status::exited;
    if (removed) state.status = Status::removing;
    state.supervisor = 0;
  });
  if (removed) {
    emit(record(), "destroy");
    try {
      box_->remove();
    } catch (const base::Error& error) {  // left to a sweep
      base::log(base::LogLevel::warning, "{}", error.what());
    }
  }
  box_.reset();
}

// Neither a policy nor the verb starts it again.
void SupervisedBox::stay_ended() {
  stays_ended_ = true;
  restart_wanted_ = restart_begun_ = false;
}

void SupervisedBox::stop(std::optional<int> timeout, std::optional<int> signal, Done done) {
  if (!active()) return done(std::monostate{});
  stop_done_.push_back(std::move(done));
  stop_wanted_ = true;
  stay_ended();
  signal_stop(signal, timeout);
  if (!run_) finish({});
}

void SupervisedBox::signal_stop(std::optional<int> number, std::optional<int> timeout) {
  cancel(loop_, restart_timer_);
  if (!run_) return;
  const int stop_signal = number.value_or(record().settings.stop_signal);
  emit(record(), "kill", {{"signal", std::to_string(stop_signal)}});
  run_->signal(stop_signal);
  // As docker does: it can end only when it moves.
  if (record().state.status == Status::paused) unpause([](const auto&) {});
  const int seconds = timeout.value_or(record().settings.stop_timeout);
  if (seconds < 0) return;
  cancel(loop_, kill_timer_);
  kill_timer_ = loop_.add_timer(std::chrono::seconds(seconds), [this] {
    kill_timer_.reset();
    emit(record(), "kill", {{"signal", std::to_string(SIGKILL)}});
    run_->signal(SIGKILL);
  });
}

void SupervisedBox::restart(std::optional<int> timeout, std::optional<int> signal, Done done) {
  if (!active()) return start(std::move(done));
  start_done_.push_back(std::move(done));
  restart_wanted_ = true;
  stop_wanted_ = run_ != nullptr;
  signal_stop(signal, timeout);
  if (!run_) launch_again();
}

void SupervisedBox::kill(int number, const Done& done) {
  require(Action::kill, record().state.status, record().name);
  emit(record(), "kill", {{"signal", std::to_string(number)}});
  if (run_) run_->signal(number);
  done(std::monostate{});
  if (number != SIGKILL && number != record().settings.stop_signal) return;
  stay_ended();
  cancel(loop_, restart_timer_);
  if (!run_) finish({});
}

void SupervisedBox::signal(int number) {
  if (run_) run_->signal(number);
}

void SupervisedBox::resize(sandbox::TerminalSize size) {
  if (run_ && run_->executed()) run_->box().resize(size);
}

void SupervisedBox::pause(Done done) {
  running_box(Action::pause).pause([this, done = std::move(done)](const auto& answer) {
    if (std::holds_alternative<base::Error>(answer) || !run_) return done(answer);
    try {
      box_->change([](BoxRecord& record) { record.state.status = Status::paused; });
    } catch (const base::Error& error) {  // no command would know that it can be unpaused
      run_->box().resume([](const auto&) {});
      return done(error);
    }
    emit(record(), "pause");
    done(answer);
  });
}

void SupervisedBox::unpause(Done done) {
  running_box(Action::unpause).resume([this, done = std::move(done)](const auto& answer) {
    if (!std::holds_alternative<base::Error>(answer) && run_) {
      note([](BoxState& state) { state.status = Status::running; });
      emit(record(), "unpause");
    }
    done(answer);
  });
}

void SupervisedBox::save(const std::filesystem::path& directory, Done done) {
  running_box(Action::save).save(directory, [this, done = std::move(done)](const auto& answer) {
    if (std::holds_alternative<std::monostate>(answer) && run_) emit(record(), "checkpoint");
    done(answer);
  });
}

sandbox::Box& SupervisedBox::running_box(Action action) {
  require(action, record().state.status, record().name);
  if (run_ && run_->executed()) return run_->box();
  throw base::Error(ErrorKind::conflict, fmt::format("box {} does not run", record().name),
                    "try again in a moment: it is being started");
}

void SupervisedBox::check_attachable() const {
  if (run_ && run_->executed()) require(Action::attach, record().state.status, record().name);
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
    if (std::holds_alternative<base::Error>(answer) || finished()) return done(answer);
    try {
      write_down();
    } catch (const base::Error& error) {
      return done(error);
    }
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
  stay_ended();
  cancel(loop_, restart_timer_);
  if (!run_) return finish({});
  emit(record(), "kill", {{"signal", std::to_string(SIGKILL)}});
  run_->signal(SIGKILL);
}

void SupervisedBox::give_up() {
  if (!finished() && !active()) finish({});
}

void SupervisedBox::input_ended() {
  if (record().settings.stdin_once) input_.close();
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

}  // namespace twinbox::supervise
