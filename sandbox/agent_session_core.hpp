// The inside of an AgentSession, which outlives it for as long as a callback of it runs.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sandbox/agent_session.hpp"
#include "sandbox/frame_connection.hpp"
#include "sandbox/stream_relay.hpp"

namespace twinbox::sandbox {

class AgentSession::Core : public std::enable_shared_from_this<Core> {
 public:
  Core(base::EventLoop& loop, SessionHandlers handlers)
      : loop_(loop), handlers_(std::move(handlers)) {}

  void open(base::Fd stream, std::string peer) {
    connection_ = FrameConnection::open(
        loop_, std::move(stream), std::move(peer),
        [this](const protocol::Frame& frame) { on_frame(frame); },
        [this](const base::Error& reason) { lose(reason); });
  }
  void close() { connection_->close(); }

  ProcessId start(protocol::FrameType type, const std::string& payload, Stdio stdio,
                  ProcessHandlers handlers);
  // One that the agent runs already.
  ProcessId adopt(Stdio stdio, ProcessHandlers handlers);
  void request_memory(std::function<void(std::string_view)> on_memory) {
    memory_requests_.push_back(std::move(on_memory));
    send(protocol::FrameType::memory_request, 0, {});
  }
  void request(ProcessId box, std::string_view json, Answer<std::string> answer);
  void freeze(Done on_frozen);
  void go_on() { connection_->release(protocol::FrameType::go_on, 0, {}); }
  void go_on_as_copy(std::string_view identity) {
    ready_ = true;
    connection_->send(protocol::FrameType::go_on, 0, identity);
  }
  // Sends at once, or when the peer has said hello.
  void send(protocol::FrameType type, ProcessId process, std::string payload) {
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
    std::optional<base::Error> lost_output{};
  };

  ProcessId add(Stdio stdio, ProcessHandlers handlers);
  void give_input(ProcessId id);
  std::unique_ptr<StreamSource> make_source(ProcessId id, base::Fd fd);
  std::unique_ptr<StreamSink> make_sink(ProcessId id, protocol::Stream stream, base::Fd fd);
  void note_loss(ProcessId id, const base::Error& reason);
  void when_ready(std::function<void()> action);
  void on_frame(const protocol::Frame& frame);
  void on_process_frame(const protocol::Frame& frame);
  void on_hello(std::string_view payload);
  void on_log(std::string_view payload);
  void on_memory(std::string_view payload);
  void on_frozen(std::string_view payload);
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
  Done on_frozen_;
  std::map<std::uint32_t, Answer<std::string>> requests_;
  std::uint32_t last_request_ = 0;
  std::optional<base::Error> lost_;
  ProcessId last_process_ = 0;
  int log_lines_ = 0;
  bool greeted_ = false;  // by the agent
  bool ready_ = false;    // it hears what is sent
};

}  // namespace twinbox::sandbox
