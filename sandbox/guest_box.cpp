#include "sandbox/guest_box.hpp"

#include <fcntl.h>

#include <chrono>
#include <csignal>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/log.hpp"
#include "sandbox/box_words.hpp"

namespace twinbox::sandbox {
namespace {

// Of the time that its host gives the machine, so that many may boot at once. Long for a boot, even
// of an emulated machine on an emulated host, and longer than a monitor itself allows, which knows
// more of why; short for somebody who waits for one that hangs.
constexpr std::chrono::seconds boot_limit{250};
constexpr std::chrono::seconds look_interval{1};
// A workload that was killed ends in this time, or its guest hangs.
constexpr std::chrono::seconds kill_limit{5};
// An agent answers to a freeze in this time of its machine's, or its guest hangs; its own attempt
// is shorter.
constexpr std::chrono::seconds freeze_limit{20};
// A machine whose agent is lost tells why in this time, or is ended.
constexpr std::chrono::seconds last_words_limit{2};

constexpr const char* not_answered = "the guest does not answer";
constexpr const char* ended_meanwhile = "the box ended while it was being saved";

class GuestProcess : public BoxProcess {
 public:
  GuestProcess(std::weak_ptr<AgentSession> session, AgentSession::ProcessId id,
               std::shared_ptr<bool> alive)
      : session_(std::move(session)), id_(id), alive_(std::move(alive)) {}
  GuestProcess(const GuestProcess&) = delete;
  GuestProcess& operator=(const GuestProcess&) = delete;
  ~GuestProcess() override { GuestProcess::signal(SIGKILL); }

  // Dropped by the session when the process has ended.
  void signal(int number) override {
    if (const auto session = session_.lock()) session->signal(id_, number);
  }
  void resize(TerminalSize size) override {
    if (const auto session = session_.lock()) session->resize(id_, size);
  }

 private:
  std::weak_ptr<AgentSession> session_;
  AgentSession::ProcessId id_;
  std::shared_ptr<bool> alive_;
};

}  // namespace

GuestBox::GuestBox(BoxRequest request, std::unique_ptr<GuestMachine> machine)
    : request_(std::move(request)), machine_(std::move(machine)) {}

GuestBox::~GuestBox() {
  stop_timer(boot_timer_);
  stop_timer(freeze_timer_);
}

void GuestBox::start(base::EventLoop& loop, ExitHandler on_exit) {
  loop_ = &loop;
  on_exit_ = std::move(on_exit);
  keep_stdio();
  machine_->start(
      loop,
      {.on_mark = [this](Mark mark, const Stamp& stamp) { marks_.stamp(mark, stamp); },
       .on_port = [this](base::Fd port, auto agent) { start_workload(std::move(port), agent); },
       .on_end = [this](const GuestMachine::End& end) { on_machine_end(end); }});
  boot_timer_ = loop.add_timer(
      boot_limit, [this, granted = base::GrantedTime()] { look_at_boot(granted); }, look_interval);
}

void GuestBox::keep_stdio() {
  for (int* fd : {&request_.stdio.in, &request_.stdio.out, &request_.stdio.err}) {
    // One that is closed stays so.
    stdio_.emplace_back(::fcntl(*fd, F_DUPFD_CLOEXEC, 3));
    *fd = stdio_.back().get();
  }
}

void GuestBox::start_workload(base::Fd port, GuestMachine::Agent agent) {
  session_ = std::make_shared<AgentSession>(
      *loop_, std::move(port),
      SessionHandlers{
          .on_hello = [this](std::string_view) { on_hello(); },
          .on_log = [](std::string_view text) { base::log(base::LogLevel::warning, "{}", text); }});
  const ProcessHandlers handlers{
      .on_started = [this] { on_started(); },
      .on_end = [this](const Outcome& outcome) { on_workload_end(outcome); }};
  if (agent == GuestMachine::Agent::saved_at_work) {
    session_->go_on_as_copy(request_.spec.hostname);
    process_ = session_->adopt_box(request_.stdio, handlers);
  } else {
    if (agent == GuestMachine::Agent::saved) session_->go_on_as_copy();
    process_ = session_->start_box(agent_box(), request_.stdio, handlers);
  }
  stdio_.clear();
  for (const int number : std::exchange(early_signals_, {})) session_->signal(process_, number);
}

AgentBox GuestBox::agent_box() const {
  return {.spec = request_.spec, .disks = machine_->disks(request_.root.disks.size())};
}

void GuestBox::signal(int number) {
  if (number == SIGKILL) return kill();
  if (session_) return session_->signal(process_, number);
  early_signals_.push_back(number);
}

// Through the agent, so that what the workload has printed comes out; but a guest that stands still
// or hangs hears nothing, and is ended from outside.
void GuestBox::kill() {
  kill_wanted_ = true;
  if (paused_ || !executed_) return kill_from_outside();
  session_->signal(process_, SIGKILL);
  later(kill_limit, &GuestBox::kill_from_outside);
}

void GuestBox::kill_from_outside() {
  if (end_ || outcome_) return;
  killed_ = true;
  machine_->kill();
}

void GuestBox::pause(Done done) {
  running_session();
  refuse_while_saved();
  machine_->pause(note_paused(true, std::move(done)));
}

void GuestBox::resume(Done done) {
  running_session();
  machine_->resume(note_paused(false, std::move(done)));
}

Done GuestBox::note_paused(bool paused, Done done) {
  return [this, alive = std::weak_ptr(alive_), paused, done = std::move(done)](const auto& answer) {
    if (!alive.expired() && !std::holds_alternative<base::Error>(answer)) {
      paused_ = paused;
      if (paused_ && kill_wanted_) kill_from_outside();  // the guest may not have heard of it
    }
    done(answer);
  };
}

void GuestBox::refuse_while_saved() const {
  if (!save_done_) return;
  throw base::Error(base::ErrorKind::conflict, "the box is being saved", "try again in a moment");
}

void GuestBox::save(const std::filesystem::path& directory, Done done) {
  auto& session = running_session();
  refuse_while_saved();
  if (frozen_due_ || paused_) {
    throw base::Error(base::ErrorKind::conflict, paused_ ? "the guest stands still" : not_answered,
                      "it can be saved once it goes on");
  }
  save_done_ = std::move(done);
  frozen_due_ = true;
  freeze_timer_ = loop_->add_timer(
      look_interval, [this, granted = base::GrantedTime()] { look_at_freeze(granted); },
      look_interval);
  session.freeze([this, directory, alive = std::weak_ptr(alive_)](const auto& answer) {
    if (!alive.expired()) on_frozen(directory, answer);
  });
}

void GuestBox::on_frozen(const std::filesystem::path& directory,
                         const std::variant<std::monostate, base::Error>& answer) {
  frozen_due_ = false;
  if (!save_done_) return;  // too late, and told to go on
  if (outcome_) return end_saving(base::Error(base::ErrorKind::conflict, ended_meanwhile));
  if (const auto* const error = std::get_if<base::Error>(&answer)) return end_saving(*error);
  stop_timer(freeze_timer_);
  try {
    machine_->save(directory, [this, alive = std::weak_ptr(alive_)](const auto& saved) {
      if (!alive.expired()) end_saving(saved);
    });
  } catch (const base::Error& error) {
    end_saving(error);
  }
}

void GuestBox::look_at_freeze(const base::GrantedTime& granted) {
  if (granted.of(machine_->processes()) < freeze_limit) return;
  end_saving(base::Error(base::ErrorKind::system,
                         fmt::format("{} for {} seconds", not_answered, freeze_limit.count()),
                         "see whether it hangs: twinbox exec, twinbox logs"));
}

void GuestBox::end_saving(const std::variant<std::monostate, base::Error>& answer) {
  stop_timer(freeze_timer_);
  const auto done = std::exchange(save_done_, nullptr);
  if (!done) return;
  if (session_) session_->go_on();
  done(answer);
}

void GuestBox::resize(TerminalSize size) {
  if (session_) session_->resize(process_, size);
}

AgentSession& GuestBox::running_session() const {
  if (session_ && executed_ && !outcome_) return *session_;
  throw base::Error(base::ErrorKind::conflict, "the guest does not run the workload now");
}

std::unique_ptr<BoxProcess> GuestBox::exec(ExecRequest request) {
  auto alive = std::make_shared<bool>(true);
  // The session knows the process for as long as it lives in the guest, whoever else still does.
  request.on_executed = [weak = std::weak_ptr(alive), told = std::move(request.on_executed)] {
    if (!weak.expired() && told) told();
  };
  request.on_exit = [weak = std::weak_ptr(alive),
                     told = std::move(request.on_exit)](const Outcome& outcome) {
    if (!weak.expired()) told(outcome);
  };
  const auto id = running_session().start_exec(process_, request);
  return std::make_unique<GuestProcess>(session_, id, std::move(alive));
}

template <typename T, typename Decode>
void GuestBox::ask_guest(const base::Json& question, Answer<T> answer, Decode decode) {
  running_session().request(process_, question.dump(),
                            [answer = std::move(answer), decode](const auto& told) {
                              if (const auto* error = std::get_if<base::Error>(&told))
                                return answer(*error);
                              std::optional<std::variant<T, base::Error>> decoded;
                              try {
                                decoded.emplace(decode(std::get<std::string>(told)));
                              } catch (const base::Error& error) {  // the guest may send anything
                                decoded.emplace(error);
                              }
                              answer(*decoded);
                            });
}

void GuestBox::statistics(Answer<Statistics> answer) {
  // Of the memory that was asked for the guest's own kernel takes its part: the limit is what was
  // asked for, as for a container.
  const auto limit = request_.spec.resources.memory_bytes;
  ask_guest<Statistics>({{"do", "statistics"}}, std::move(answer),
                        [limit](const std::string& text) {
                          auto result = statistics_from_json(text, "statistics");
                          result.memory_limit_bytes = limit.value_or(result.memory_limit_bytes);
                          return result;
                        });
}

void GuestBox::list_processes(Answer<std::vector<ProcessEntry>> answer) {
  ask_guest<std::vector<ProcessEntry>>(
      {{"do", "processes"}}, std::move(answer),
      [](const std::string& text) { return processes_from_json(text, "processes"); });
}

void GuestBox::list_changes(Answer<std::vector<FileChange>> answer) {
  ask_guest<std::vector<FileChange>>(
      {{"do", "changes"}}, std::move(answer),
      [](const std::string& text) { return changes_from_json(text, "changes"); });
}

void GuestBox::update(const Resources& limits, Done done) {
  if (limits.memory_bytes || limits.memory_swap_bytes || limits.cpus ||
      !limits.cpuset_cpus.empty()) {
    throw base::Error(base::ErrorKind::unsupported,
                      "the memory and processors of a machine that runs cannot be changed",
                      "make a new box with other limits");
  }
  ask_guest<std::monostate>({{"do", "update"}, {"limits", to_json(limits)}}, std::move(done),
                            [](const std::string&) { return std::monostate{}; });
}

void GuestBox::on_hello() {
  stop_timer(boot_timer_);
  seen_from_here_.stamp(Mark::booted);
}

void GuestBox::on_started() {
  executed_ = true;
  seen_from_here_.stamp(Mark::executed);
  if (request_.on_executed) request_.on_executed();
}

void GuestBox::on_workload_end(const Outcome& outcome) {
  outcome_ = outcome;
  // One that the agent itself reports is told as it is, whatever became of the agent since.
  lost_ = session_->lost() && outcome.error && outcome.status == status_own_error;
  if (end_) return finish();
  // The last of its output is passed on first: the kernel may be busy for a while with the
  // machine's memory.
  if (!lost_) return later({}, &GuestBox::end_machine);
  later(last_words_limit, &GuestBox::end_lost_machine);
}

void GuestBox::end_machine() {
  if (!end_) machine_->kill();
}

void GuestBox::end_lost_machine() {
  if (end_) return;
  if (!ended_for_) ended_for_ = outcome_->error->message();
  machine_->kill();
}

void GuestBox::look_at_boot(const base::GrantedTime& granted) {
  if (granted.of(machine_->processes()) < boot_limit) return;
  ended_for_ = fmt::format("it did not come up within {} seconds", boot_limit.count());
  stop_timer(boot_timer_);
  machine_->kill();
}

void GuestBox::stop_timer(std::optional<base::EventLoop::TimerId>& timer) {
  if (const auto id = std::exchange(timer, std::nullopt)) loop_->cancel_timer(*id);
}

void GuestBox::on_machine_end(const GuestMachine::End& end) {
  stop_timer(boot_timer_);
  for (const auto mark : {Mark::booted, Mark::executed}) {
    if (const auto stamp = seen_from_here_.find(mark)) marks_.stamp(mark, *stamp);
  }
  marks_.stamp(Mark::gone);
  end_ = end;
  if (!outcome_ && session_) return;  // its end follows, after the last of the output
  if (!outcome_) {
    lost_ = true;
    outcome_ = Outcome{.status = status_own_error, .oom_killed = false, .error = {}};
  }
  finish();
}

void GuestBox::finish() {
  if (killed_ && lost_) {
    outcome_ = Outcome{.status = 128 + SIGKILL, .oom_killed = false, .error = {}};
  } else if (lost_) {
    outcome_->error = why_lost();
  }
  later({}, &GuestBox::tell_exit);
}

base::Error GuestBox::why_lost() const {
  if (end_->never_ran) return end_->reason;
  const auto reason = ended_for_.value_or(end_->reason.message());
  auto message =
      fmt::format("the guest was lost {}: {}",
                  executed_ ? "while its workload ran" : "before its workload ran", reason);
  const auto lines = machine_->last_words();
  if (!lines.empty()) message += "; its last lines:\n" + lines;
  // Without any other sign, a guest that does not come up is most often too small.
  const bool agent_tells = lines.find("twinbox-agent: error") != std::string::npos;
  const bool may_be_too_small =
      end_->reason.hint().empty() && !executed_ && !ended_for_ && !agent_tells;
  return {base::ErrorKind::system, message,
          may_be_too_small ? "give it more memory (--memory)" : end_->reason.hint()};
}

void GuestBox::tell_exit() {
  end_saving(base::Error(base::ErrorKind::conflict, ended_meanwhile));
  session_.reset();  // the loop may be gone before this box is
  if (const auto on_exit = std::exchange(on_exit_, nullptr)) on_exit(*outcome_);
}

void GuestBox::later(std::chrono::milliseconds delay, void (GuestBox::*callback)()) {
  loop_->add_timer(delay, [this, callback, alive = std::weak_ptr(alive_)] {
    if (!alive.expired()) (this->*callback)();
  });
}

std::vector<AgentDisk> GuestMachine::disks(std::size_t layers) const { return whole_disks(layers); }

std::vector<AgentDisk> whole_disks(std::size_t layers) {
  std::vector<AgentDisk> disks;
  for (std::size_t i = 0; i < layers; ++i) disks.push_back({.device = "/dev/" + disk_name(i)});
  return disks;
}

std::string disk_name(std::size_t index) {
  std::string letters;
  for (++index; index > 0; index = (index - 1) / 26) {
    letters.insert(letters.begin(), static_cast<char>('a' + (index - 1) % 26));
  }
  return "vd" + letters;
}

}  // namespace twinbox::sandbox
