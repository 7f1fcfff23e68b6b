#include "guest-images/agent/service.hpp"

#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#include <array>
#include <chrono>
#include <csignal>
#include <nlohmann/json.hpp>
#include <span>
#include <utility>

#include "base/json.hpp"
#include "base/log.hpp"
#include "base/syscall.hpp"
#include "guest-images/agent/command.hpp"
#include "guest-images/agent/figures.hpp"
#include "guest-images/agent/huge_program.hpp"
#include "sandbox/box_words.hpp"

namespace twinbox::agent {
namespace {

namespace protocol = sandbox::protocol;
using protocol::Frame;
using protocol::FrameType;

class CommandRunner : public sandbox::BoxProcess {
 public:
  explicit CommandRunner(pid_t pid) : pid_(pid) {}
  // Safe from hitting a stranger: a signal is passed on only until the child has been reaped.
  void signal(int number) override { ::kill(pid_, number); }
  void resize(sandbox::TerminalSize) override {}  // it has no terminal

 private:
  pid_t pid_;
};

std::string hello() {
  utsname names{};
  ::uname(&names);
  return base::Json{{"protocol", protocol::version}, {"kernel", names.release}}.dump();
}

int failure_status(const base::Error& error) {
  switch (error.kind()) {
    case base::ErrorKind::not_found:
      return sandbox::status_command_not_found;
    case base::ErrorKind::system:
      return sandbox::status_cannot_execute;
    default:
      return sandbox::status_own_error;
  }
}

}  // namespace

Service::Service(base::EventLoop& loop, Machine machine)
    : loop_(loop),
      machine_(std::move(machine)),
      child_signals_(base::make_signalfd(std::array{SIGCHLD})) {
  loop_.add(child_signals_.get(), EPOLLIN, [this](std::uint32_t) {
    signalfd_siginfo info{};
    while (base::read_some(child_signals_.get(), std::as_writable_bytes(std::span(&info, 1)))) {
    }
    reap();
  });
}

Service::~Service() {
  kill_all();
  loop_.remove(child_signals_.get());
}

std::string Service::serve(base::Fd stream) {
  base::write_all(stream.get(), protocol::encode(FrameType::hello, 0, hello()));
  connection_ = sandbox::FrameConnection::open(
      loop_, std::move(stream), "the host", [this](const Frame& frame) { take(frame); },
      [this](const base::Error& reason) {
        end_ = reason.what();
        loop_.stop();
      });
  try {
    loop_.run();
  } catch (const base::Error& error) {  // a defect of ours, which the host should hear of
    end_ = error.what();
    log(end_);
    connection_->flush();
  }
  kill_all();
  connection_->close();
  return end_;
}

void Service::log(std::string_view text) {
  base::log_line(base::LogLevel::warning, text);
  if (connection_) connection_->send(FrameType::log, 0, text);
}

void Service::take(const Frame& frame) {
  if (frame.process == 0) return take_machine_frame(frame);
  if (frame.type == FrameType::start_command) return start_command(frame);
  if (frame.type == FrameType::start_box) return start_box(frame);
  if (frame.type == FrameType::start_exec) return start_exec(frame);
  if (frame.type == FrameType::request) return take_request(frame);
  // One that is not there any more has ended while this message was on its way.
  const auto found = workloads_.find(frame.process);
  if (found != workloads_.end()) found->second.take(frame);
}

void Service::take_machine_frame(const Frame& frame) {
  switch (frame.type) {
    case FrameType::memory_request:
      return connection_->send(FrameType::memory, 0, memory_figures());
    case FrameType::freeze:
      return freeze();
    case FrameType::go_on:
      return go_on(frame.payload);
    case FrameType::power_off:
      if (machine_.power_off) return machine_.power_off();
      return log("this agent does not own its machine and leaves it running");
    default:
      throw base::Error(base::ErrorKind::system,
                        fmt::format("message {} without a process", static_cast<int>(frame.type)));
  }
}

void Service::freeze() {
  std::string failure;
  try {
    move_program_to_huge_pages();
    if (machine_.freeze) machine_.freeze();
  } catch (const base::Error& error) {
    failure = error.message();
  }
  connection_->send(FrameType::frozen, 0, failure);
  connection_->hold();
}

void Service::go_on(std::string_view identity) {
  if (identity.empty()) {
    connection_->release();
  } else {
    begin_as_copy(identity);
  }
  if (machine_.thaw) machine_.thaw();
}

// The host of the machine that was saved is not ours: what is on its way to it, and the further
// processes that it asked for, are its own.
void Service::begin_as_copy(std::string_view identity) {
  connection_->drop_held();
  connection_->release();
  std::erase_if(workloads_, [this](const auto& entry) { return entry.first != box_; });
  const auto json = base::parse_json(identity, "go_on");
  const base::JsonView view(json, "go_on");
  if (machine_.become_copy) machine_.become_copy(view);
  if (const auto disks = view.find("disks")) return greet_when_ready(*disks);
  greet();
}

void Service::greet() {
  connection_->send(FrameType::hello, 0, hello());
  const auto workload = workloads_.find(box_);
  if (workload != workloads_.end()) workload->second.begin_anew();
}

// A box that is started without what could not be made ahead only takes longer.
void Service::greet_when_ready(const base::JsonView& disks) {
  try {
    if (!machine_.expect_image) return greet();
    machine_.expect_image(disks, [this] { greet(); });
  } catch (const base::Error& error) {
    log(error.message());
    greet();
  }
}

sandbox::ServedProcess& Service::add_workload(std::uint32_t id) {
  // A later host's process may have the same number by the time this is called.
  const auto gone = [this, id, weak = std::weak_ptr(connection_)] {
    if (weak.lock() == connection_) workloads_.erase(id);
  };
  const auto [place, added] = workloads_.try_emplace(id, loop_, connection_, id, gone);
  if (!added) {
    throw base::Error(base::ErrorKind::system, fmt::format("process {} is there already", id));
  }
  return place->second;
}

void Service::fail(std::uint32_t id, const base::Error& error) {
  workloads_.at(id).conclude(
      {.status = failure_status(error), .oom_killed = false, .error = error});
}

void Service::start_command(const Frame& frame) {
  auto& workload = add_workload(frame.process);
  try {
    const pid_t pid = spawn(parse_command(frame.payload), workload.process_ends());
    commands_[pid] = frame.process;
    workload.run_by(std::make_unique<CommandRunner>(pid));
    workload.started();
  } catch (const base::Error& error) {
    fail(frame.process, error);
  }
}

void Service::start_box(const Frame& frame) {
  auto& workload = add_workload(frame.process);
  box_ = frame.process;
  try {
    if (!machine_.start_box) {
      throw base::Error(base::ErrorKind::unsupported, "this agent starts no boxes");
    }
    workload.run_by(machine_.start_box(frame.process, frame.payload, workload,
                                       conclude_workload(frame.process)));
  } catch (const base::Error& error) {
    fail(frame.process, error);
  }
}

Machine::OnExit Service::conclude_workload(std::uint32_t id) {
  return [this, id](const sandbox::Outcome& outcome) {
    const auto found = workloads_.find(id);
    if (found != workloads_.end()) found->second.conclude(outcome);
    reap();
  };
}

void Service::start_exec(const Frame& frame) {
  auto& workload = add_workload(frame.process);
  try {
    if (!machine_.exec) {
      throw base::Error(base::ErrorKind::unsupported, "this agent starts no boxes");
    }
    auto words = sandbox::exec_from_json(frame.payload);
    words.request.stdio = workload.process_ends();
    words.request.on_executed = [&workload] { workload.started(); };
    words.request.on_exit = conclude_workload(frame.process);
    workload.run_by(machine_.exec(words.box, std::move(words.request)));
  } catch (const base::Error& error) {
    workload.conclude({.status = sandbox::status_own_error, .oom_killed = false, .error = error});
  }
}

void Service::take_request(const Frame& frame) {
  const auto number = protocol::read_u32(frame.payload, 0);
  const auto answer = [weak = std::weak_ptr(connection_), process = frame.process,
                       number](const auto& told) {
    if (const auto connection = weak.lock()) {
      sandbox::send_reply(*connection, process, number, told);
    }
  };
  try {
    const auto json =
        base::parse_json(std::string_view(frame.payload).substr(sizeof number), "request");
    if (!machine_.ask) {
      throw base::Error(base::ErrorKind::unsupported, "this agent starts no boxes");
    }
    machine_.ask(frame.process, base::JsonView(json, "request"), answer);
  } catch (const base::Error& error) {
    answer(std::variant<std::string, base::Error>(error));
  }
}

void Service::reap() {
  siginfo_t info{};
  // A look first: the children of boxes are waited for by their boxes, which also gets reap()
  // called again.
  while (::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid != 0) {
    const pid_t pid = info.si_pid;
    if (machine_.owns_child && machine_.owns_child(pid)) return;
    const int status = base::shell_status(base::wait_for(pid));
    info = {};
    const auto command = commands_.extract(pid);
    if (command.empty()) continue;  // an orphan
    const auto found = workloads_.find(command.mapped());
    if (found != workloads_.end()) {
      found->second.conclude({.status = status, .oom_killed = false, .error = {}});
    }
  }
}

void Service::kill_all() {
  // Each command leads a session and thereby a process group.
  for (const auto& [pid, id] : commands_) ::kill(-pid, SIGKILL);
  workloads_.clear();
  for (const auto& [pid, id] : std::exchange(commands_, {})) base::wait_for(pid);
}

}  // namespace twinbox::agent
