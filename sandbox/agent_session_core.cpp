#include "sandbox/agent_session_core.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/json.hpp"
#include "sandbox/peer_words.hpp"

namespace twinbox::sandbox {
namespace {

using protocol::Frame;
using protocol::FrameType;
using protocol::Stream;

constexpr int log_lines_limit = 200;
constexpr std::size_t deepest_reply = 32;

// Who wanted no more: of a pipe or a socket, or at a terminal.
bool reader_is_gone(int error, bool terminal) {
  return error == EPIPE || error == ECONNRESET || (terminal && error == EIO);
}

base::Fd duplicate_if_open(int fd) { return base::Fd(::fcntl(fd, F_DUPFD_CLOEXEC, 3)); }

}  // namespace

AgentSession::ProcessId AgentSession::Core::start(FrameType type, const std::string& payload,
                                                  Stdio stdio, ProcessHandlers handlers) {
  const auto id = add(stdio, std::move(handlers));
  if (lost_) return id;
  send(type, id, payload);
  give_input(id);
  return id;
}

AgentSession::ProcessId AgentSession::Core::adopt(Stdio stdio, ProcessHandlers handlers) {
  const auto id = add(stdio, std::move(handlers));
  if (!lost_) give_input(id);
  return id;
}

AgentSession::ProcessId AgentSession::Core::add(Stdio stdio, ProcessHandlers handlers) {
  const ProcessId id = ++last_process_;
  auto& process = processes_[id];
  process.handlers = std::move(handlers);
  process.in = make_source(id, duplicate_if_open(stdio.in));
  process.out = make_sink(id, Stream::out, duplicate_if_open(stdio.out));
  process.err = make_sink(id, Stream::err, duplicate_if_open(stdio.err));
  if (lost_) {
    conclude(id, process, {.status = status_own_error, .oom_killed = false, .error = lost_});
  }
  return id;
}

void AgentSession::Core::give_input(ProcessId id) {
  when_ready([this, id] {
    const auto found = processes_.find(id);
    if (found != processes_.end()) found->second.in->start();
  });
}

// The agent's machine is saved with all that is on its way to it, so nothing is until it goes on.
void AgentSession::Core::freeze(Done on_frozen) {
  on_frozen_ = std::move(on_frozen);
  when_ready([this] {
    connection_->send(FrameType::freeze, 0, {});
    connection_->hold();
  });
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
  const bool terminal = ::isatty(fd.get()) == 1;
  return std::make_unique<StreamSink>(
      loop_, std::move(fd),
      StreamSink::Handlers{.give_credit =
                               [this, id, name](std::uint32_t bytes) {
                                 auto payload = name;
                                 protocol::append_u32(payload, bytes);
                                 connection_->send(FrameType::credit, id, payload);
                               },
                           .on_closed =
                               [this, id, name, terminal](const base::Error& reason) {
                                 if (!reader_is_gone(reason.number(), terminal))
                                   note_loss(id, reason);
                                 connection_->send(FrameType::stream_closed, id, name);
                               },
                           .on_drained = [this, id] { settle(id); }});
}

void AgentSession::Core::note_loss(ProcessId id, const base::Error& reason) {
  const auto found = processes_.find(id);
  if (found == processes_.end()) return;
  found->second.lost_output =
      base::system_error(reason.number(), "what the process printed cannot be written");
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
      return on_frozen(frame.payload);
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

void AgentSession::Core::on_frozen(std::string_view payload) {
  const auto told = std::exchange(on_frozen_, nullptr);
  if (!told) violation("frozen, for which nobody asked");
  if (payload.empty()) return told(std::monostate{});
  told(base::Error(base::ErrorKind::system, printable(payload)));
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
  const auto text = payload.substr(sizeof(std::uint32_t));
  // To write it down again takes a call within a call for each level.
  if (base::json_depth(text) > deepest_reply) violation("an answer with very many levels");
  const auto json = base::parse_json(text, "reply");
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
  auto& process = node.mapped();
  auto& outcome = *process.outcome;
  // Nobody shall take for a success what has not arrived. A process that went on to write was told
  // by SIGPIPE.
  if (process.lost_output && (outcome.status == 0 || outcome.status == 128 + SIGPIPE)) {
    outcome.status = status_own_error;
    outcome.error = process.lost_output;
  }
  if (process.handlers.on_end) process.handlers.on_end(outcome);
}

void AgentSession::Core::lose(const base::Error& reason) {
  lost_ = reason;
  if (const auto told = std::exchange(on_frozen_, nullptr)) told(reason);
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

}  // namespace twinbox::sandbox
