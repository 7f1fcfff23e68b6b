#include "sandbox/agent_session.hpp"

#include <fcntl.h>
#include <sys/random.h>

#include <array>
#include <ctime>
#include <deque>
#include <map>
#include <optional>
#include <utility>

#include "base/json.hpp"
#include "base/json_writer.hpp"
#include "sandbox/frame_connection.hpp"
#include "sandbox/peer_words.hpp"
#include "sandbox/stream_relay.hpp"

namespace twinbox::sandbox {
namespace {

using protocol::Frame;
using protocol::FrameType;
using protocol::Stream;

constexpr int log_lines_limit = 200;

base::Fd duplicate_if_open(int fd) { return base::Fd(::fcntl(fd, F_DUPFD_CLOEXEC, 3)); }

std::string dump(const base::Json& json) {
  try {
    return json.dump();
  } catch (const base::Json::exception&) {
    throw base::Error(base::ErrorKind::usage, "an argument or variable is not valid UTF-8");
  }
}

std::uint64_t nanoseconds_since_epoch() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000U +
         static_cast<std::uint64_t>(now.tv_nsec);
}

// As much as a random number generator needs to be seeded.
std::string fresh_entropy() {
  std::array<std::uint8_t, 32> bytes{};
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    base::throw_errno("cannot get random numbers");
  }
  return fmt::format("{:02x}", fmt::join(bytes, ""));
}

}  // namespace

class AgentSession::Core : public std::enable_shared_from_this<Core> {
 public:
  Core(base::EventLoop& loop, SessionHandlers handlers)
      : loop_(loop), handlers_(std::move(handlers)) {}

  void open(base::Fd stream, std::string peer) {
    connection_ = FrameConnection::open(
        loop_, std::move(stream), std::move(peer), [this](Frame frame) { on_frame(frame); },
        [this](const base::Error& reason) { lose(reason); });
  }
  void close() { connection_->close(); }

  ProcessId start(FrameType type, const std::string& payload, Stdio stdio,
                  ProcessHandlers handlers);
  void request_memory(std::function<void(std::string_view)> on_memory) {
    memory_requests_.push_back(std::move(on_memory));
    send(FrameType::memory_request, 0, {});
  }
  void request(ProcessId box, std::string_view json, Answer<std::string> answer);
  void freeze(std::function<void()> on_frozen) {
    on_frozen_ = std::move(on_frozen);
    send(FrameType::freeze, 0, {});
  }
  void go_on_as_copy(std::string_view identity) {
    ready_ = true;
    connection_->send(FrameType::go_on, 0, identity);
  }
  // Sends at once, or when the peer has said hello.
  void send(FrameType type, ProcessId process, std::string payload) {
    when_ready([this, type, process, payload = std::move(payload)] {
      connection_->send(type, process, payload);
    });
  }
  const std::optional<base::Error>& lost() const { return lost_; }
  bool runs(ProcessId process) const {
    const auto found = processes_.find(process);
    return found != processes_.end() && !found->second.outcome;
  }

 private:
  struct Process {
    ProcessHandlers handlers;
    std::unique_ptr<StreamSource> in;
    std::unique_ptr<StreamSink> out;
    std::unique_ptr<StreamSink> err;
    bool started = false;
    std::optional<Outcome> outcome;
  };

  std::unique_ptr<StreamSource> make_source(ProcessId id, base::Fd fd);
  std::unique_ptr<StreamSink> make_sink(ProcessId id, Stream stream, base::Fd fd);
  void when_ready(std::function<void()> action);
  void on_frame(const Frame& frame);
  void on_process_frame(const Frame& frame);
  void on_hello(std::string_view payload);
  void on_log(std::string_view payload);
  void on_memory(std::string_view payload);
  void on_frozen();
  void on_reply(std::string_view payload);
  void on_started(Process& process);
  void lose(const base::Error& reason);
  void conclude(ProcessId id, Process& process, Outcome outcome);
  void settle(ProcessId id);
  void tell_end(ProcessId id);
  void tell_lost();

  base::EventLoop& loop_;
  SessionHandlers handlers_;
  std::shared_ptr<FrameConnection> connection_;
  std::vector<std::function<void()>> waiting_for_hello_;
  std::map<ProcessId, Process> processes_;
  std::deque<std::function<void(std::string_view)>> memory_requests_;
  std::function<void()> on_frozen_;
  std::map<std::uint32_t, Answer<std::string>> requests_;
  std::uint32_t last_request_ = 0;
  std::optional<base::Error> lost_;
  ProcessId last_process_ = 0;
  int log_lines_ = 0;
  bool greeted_ = false;  // by the agent
  bool ready_ = false;    // it hears what is sent
};

AgentSession::ProcessId AgentSession::Core::start(FrameType type, const std::string& payload,
                                                  Stdio stdio, ProcessHandlers handlers) {
  const ProcessId id = ++last_process_;
  auto& process = processes_[id];
  process.handlers = std::move(handlers);
  process.in = make_source(id, duplicate_if_open(stdio.in));
  process.out = make_sink(id, Stream::out, duplicate_if_open(stdio.out));
  process.err = make_sink(id, Stream::err, duplicate_if_open(stdio.err));
  if (lost_) {
    conclude(id, process, {.status = status_own_error, .oom_killed = false, .error = lost_});
    return id;
  }
  send(type, id, payload);
  when_ready([this, id] {
    const auto found = processes_.find(id);
    if (found != processes_.end()) found->second.in->start();
  });
  return id;
}

std::unique_ptr<StreamSource> AgentSession::Core::make_source(ProcessId id, base::Fd fd) {
  return std::make_unique<StreamSource>(
      loop_, std::move(fd),
      StreamSource::Handlers{
          .send =
              [this, id](std::string_view bytes) {
                connection_->send(FrameType::stdin_data, id, bytes);
              },
          .on_end = [this, id] { connection_->send(FrameType::stdin_end, id, {}); }});
}

std::unique_ptr<StreamSink> AgentSession::Core::make_sink(ProcessId id, Stream stream,
                                                          base::Fd fd) {
  std::string name;
  protocol::append_u32(name, static_cast<std::uint32_t>(stream));
  return std::make_unique<StreamSink>(
      loop_, std::move(fd),
      StreamSink::Handlers{.give_credit =
                               [this, id, name](std::uint32_t bytes) {
                                 auto payload = name;
                                 protocol::append_u32(payload, bytes);
                                 connection_->send(FrameType::credit, id, payload);
                               },
                           .on_closed =
                               [this, id, name](const std::string&) {
                                 connection_->send(FrameType::stream_closed, id, name);
                               },
                           .on_drained = [this, id] { settle(id); }});
}

void AgentSession::Core::when_ready(std::function<void()> action) {
  if (ready_) return action();
  waiting_for_hello_.push_back(std::move(action));
}

void AgentSession::Core::on_frame(const Frame& frame) {
  if (!greeted_ && frame.type != FrameType::hello && frame.type != FrameType::log) {
    violation("it speaks before its hello");
  }
  switch (frame.type) {
    case FrameType::hello:
      return on_hello(frame.payload);
    case FrameType::log:
      return on_log(frame.payload);
    case FrameType::memory:
      return on_memory(frame.payload);
    case FrameType::frozen:
      return on_frozen();
    case FrameType::reply:
      return on_reply(frame.payload);
    default:
      return on_process_frame(frame);
  }
}

void AgentSession::Core::on_process_frame(const Frame& frame) {
  const auto found = processes_.find(frame.process);
  if (found == processes_.end() || found->second.outcome) {
    violation(fmt::format("message {} about process {}, which does not run",
                          static_cast<int>(frame.type), frame.process));
  }
  auto& process = found->second;
  switch (frame.type) {
    case FrameType::started:
      return on_started(process);
    case FrameType::failed:
      return conclude(frame.process, process, parse_failed(frame.payload));
    case FrameType::exited:
      return conclude(frame.process, process, parse_exited(frame.payload));
    case FrameType::stdout_data:
      return process.out->push(frame.payload);
    case FrameType::stderr_data:
      return process.err->push(frame.payload);
    case FrameType::credit:
      if (protocol::read_u32(frame.payload, 0) != 0) violation("credit for an output stream");
      return process.in->add_credit(protocol::read_u32(frame.payload, 4));
    case FrameType::stream_closed:
      if (protocol::read_u32(frame.payload, 0) != 0) violation("an output stream without reader");
      return process.in->close();
    default:
      violation(fmt::format("message {} from an agent", static_cast<int>(frame.type)));
  }
}

void AgentSession::Core::on_hello(std::string_view payload) {
  const auto json = base::parse_json(payload, "hello");
  const base::JsonView view(json, "hello");
  const auto spoken = view.get<std::uint32_t>("protocol");
  if (std::exchange(greeted_, true)) violation("a second hello");
  if (spoken != protocol::version) {
    throw base::Error(base::ErrorKind::system,
                      fmt::format("speaks protocol {}, this program {}", spoken, protocol::version),
                      "build all of twinbox from the same source");
  }
  ready_ = true;
  if (handlers_.on_hello) handlers_.on_hello(printable(view.get_or<std::string>("kernel", "")));
  for (const auto& action : std::exchange(waiting_for_hello_, {})) action();
}

void AgentSession::Core::on_log(std::string_view payload) {
  if (++log_lines_ > log_lines_limit || !handlers_.on_log) return;
  handlers_.on_log(printable(payload));
}

void AgentSession::Core::on_memory(std::string_view payload) {
  if (memory_requests_.empty()) violation("memory figures that nobody asked for");
  const auto on_memory = std::move(memory_requests_.front());
  memory_requests_.pop_front();
  on_memory(payload);
}

void AgentSession::Core::on_frozen() {
  const auto told = std::exchange(on_frozen_, nullptr);
  if (!told) violation("frozen, for which nobody asked");
  told();
}

void AgentSession::Core::request(ProcessId box, std::string_view json, Answer<std::string> answer) {
  if (lost_) return answer(*lost_);
  const auto number = ++last_request_;
  requests_.emplace(number, std::move(answer));
  std::string payload;
  protocol::append_u32(payload, number);
  send(FrameType::request, box, payload.append(json));
}

void AgentSession::Core::on_reply(std::string_view payload) {
  auto found = requests_.extract(protocol::read_u32(payload, 0));
  if (found.empty()) violation("an answer to nothing that was asked");
  const auto json = base::parse_json(payload.substr(sizeof(std::uint32_t)), "reply");
  const base::JsonView view(json, "reply");
  if (const auto error = view.find("error")) return found.mapped()(error_from(*error));
  found.mapped()(view.at("value").value().dump());
}

void AgentSession::Core::on_started(Process& process) {
  if (std::exchange(process.started, true)) violation("a process that starts twice");
  if (process.handlers.on_started) process.handlers.on_started();
}

void AgentSession::Core::conclude(ProcessId id, Process& process, Outcome outcome) {
  process.outcome = std::move(outcome);
  process.in.reset();
  process.out->finish();
  process.err->finish();
  settle(id);
}

void AgentSession::Core::settle(ProcessId id) {
  const auto found = processes_.find(id);
  if (found == processes_.end()) return;
  const auto& process = found->second;
  if (!process.outcome || !process.out->drained() || !process.err->drained()) return;
  // From the top of the loop, where the handler may destroy the session.
  loop_.defer([weak = weak_from_this(), id] {
    if (const auto self = weak.lock()) self->tell_end(id);
  });
}

void AgentSession::Core::tell_end(ProcessId id) {
  auto node = processes_.extract(id);
  if (node.empty()) return;  // told already: both streams settled it
  if (lost_ && processes_.empty()) {
    loop_.defer([weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->tell_lost();
    });
  }
  const auto& process = node.mapped();
  if (process.handlers.on_end) process.handlers.on_end(*process.outcome);
}

void AgentSession::Core::lose(const base::Error& reason) {
  lost_ = reason;
  for (const auto& [number, answer] : std::exchange(requests_, {})) answer(reason);
  const Outcome outcome{.status = status_own_error, .oom_killed = false, .error = reason};
  if (processes_.empty()) {
    loop_.defer([weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->tell_lost();
    });
  }
  for (auto& [id, process] : processes_) {
    if (!process.outcome) conclude(id, process, outcome);
  }
}

void AgentSession::Core::tell_lost() {
  if (const auto handler = std::exchange(handlers_.on_lost, nullptr)) handler(*lost_);
}

AgentSession::AgentSession(base::EventLoop& loop, base::Fd stream, SessionHandlers handlers,
                           std::string peer)
    : core_(std::make_shared<Core>(loop, std::move(handlers))) {
  core_->open(std::move(stream), std::move(peer));
}

AgentSession::~AgentSession() { core_->close(); }

AgentSession::ProcessId AgentSession::start_command(const AgentCommand& command, Stdio stdio,
                                                    ProcessHandlers handlers) {
  const base::Json json{{"args", command.args}, {"env", command.env}, {"cwd", command.cwd}};
  return core_->start(FrameType::start_command, dump(json), stdio, std::move(handlers));
}

AgentSession::ProcessId AgentSession::start_box(const AgentBox& box, Stdio stdio,
                                                ProcessHandlers handlers) {
  base::JsonWriter json;
  json.object([&] {
    json.member_as_it_is("spec", to_json(box.spec));
    json.array("disks", [&] {
      for (const auto& disk : box.disks) {
        json.object([&] {
          json.member("device", disk.device);
          if (disk.size == 0) return;
          json.member("start", disk.start);
          json.member("size", disk.size);
        });
      }
    });
    json.member("clock_ns", nanoseconds_since_epoch());
  });
  return core_->start(FrameType::start_box, json.text(), stdio, std::move(handlers));
}

AgentSession::ProcessId AgentSession::start_exec(ProcessId box, const ExecRequest& request) {
  base::Json json{{"box", box}};
  if (request.task) {
    json["task"] = {{"kind", to_string(request.task->kind)}, {"path", request.task->path}};
  } else {
    json["process"] = base::parse_json(to_json(request.process), "process");
  }
  return core_->start(FrameType::start_exec, dump(json), request.stdio,
                      {.on_started = request.on_executed, .on_end = request.on_exit});
}

AgentSession::ProcessId AgentSession::attach(Stdio stdio, ProcessHandlers handlers) {
  const base::Json wanted{{"stdin", stdio.in >= 0}};
  return core_->start(FrameType::attach, wanted.dump(), stdio, std::move(handlers));
}

void AgentSession::resize(ProcessId process, TerminalSize size) {
  if (!core_->runs(process)) return;
  std::string payload;
  protocol::append_u32(payload, size.columns);
  protocol::append_u32(payload, size.rows);
  core_->send(FrameType::resize, process, std::move(payload));
}

void AgentSession::request(ProcessId box, std::string_view json, Answer<std::string> answer) {
  core_->request(box, json, std::move(answer));
}

void AgentSession::signal(ProcessId process, int number) {
  if (!core_->runs(process)) return;
  std::string payload;
  protocol::append_u32(payload, static_cast<std::uint32_t>(number));
  core_->send(FrameType::signal, process, std::move(payload));
}

void AgentSession::request_memory(std::function<void(std::string_view json)> on_memory) {
  core_->request_memory(std::move(on_memory));
}

void AgentSession::set_clock() {
  std::string payload;
  protocol::append_u64(payload, nanoseconds_since_epoch());
  core_->send(FrameType::set_clock, 0, std::move(payload));
}

void AgentSession::freeze(std::function<void()> on_frozen) { core_->freeze(std::move(on_frozen)); }

void AgentSession::go_on() { core_->send(FrameType::go_on, 0, {}); }

void AgentSession::go_on_as_copy() {
  const base::Json identity{{"clock_ns", nanoseconds_since_epoch()}, {"entropy", fresh_entropy()}};
  core_->go_on_as_copy(identity.dump());
}

const std::optional<base::Error>& AgentSession::lost() const { return core_->lost(); }

void AgentSession::power_off() { core_->send(FrameType::power_off, 0, {}); }

}  // namespace twinbox::sandbox
