// The asking side of the framed protocol: starts processes at the other end, which is a guest's
// agent or the supervisor of a box, and carries their streams.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/event_loop.hpp"
#include "base/fd.hpp"
#include "sandbox/engine.hpp"
#include "sandbox/spec.hpp"

namespace twinbox::sandbox {

// What happens on the session itself. All handlers are optional and are called from the loop.
struct SessionHandlers {
  // The agent is there; `kernel` is its kernel's release. Processes may be started earlier: what is
  // asked for before is sent then.
  std::function<void(std::string_view kernel)> on_hello{};
  // A diagnostic line of the agent; printable, bounded in length and number.
  std::function<void(std::string_view text)> on_log{};
  // The connection ended or the peer broke the protocol. Called once, after every process has had
  // its on_end; may destroy the session.
  std::function<void(const base::Error& reason)> on_lost{};
};

struct ProcessHandlers {
  std::function<void()> on_started{};
  // Called once, after all output has been delivered; `outcome.error` tells why it never ran or was
  // lost. May destroy the session.
  std::function<void(const Outcome& outcome)> on_end{};
};

struct AgentCommand {
  std::vector<std::string> args;
  std::vector<std::string> env{};  // "KEY=VALUE"; PATH finds args[0]
  std::string cwd = "/";
};

// Where the guest finds a layer.
struct AgentDisk {
  std::string device;       // "/dev/vda"
  std::uint64_t start = 0;  // in bytes
  std::uint64_t size = 0;   // in bytes; 0: it is all of the device
};

struct AgentBox {
  Spec spec;
  std::vector<AgentDisk> disks;  // of the layers, lowest first
};

// What an agent that was saved while it was frozen, and has no box, is to read first where its box
// is not known yet: it gets time and randomness of its own, makes ready for a box with these
// layers, and says hello to a session that is opened then.
std::string go_on_expecting(std::span<const AgentDisk> disks);

// Usage:
//   AgentSession session(loop, std::move(socket), {.on_lost = ...});
//   const auto id = session.start_command({.args = {"uname", "-r"}}, Stdio{}, {.on_end = ...});
//   loop.run();
//
// The descriptors of a Stdio are duplicated and may be of any kind (pipe, socket, file, terminal,
// /dev/null, closed); their flags are left alone. A consumer that stalls holds up only its own
// stream and its process's on_end.
class AgentSession {
 public:
  using ProcessId = std::uint32_t;

  // `stream` is a connected byte stream: a socket, or a character device. `peer` names the other
  // end in errors.
  AgentSession(base::EventLoop& loop, base::Fd stream, SessionHandlers handlers,
               std::string peer = "the agent");
  AgentSession(const AgentSession&) = delete;
  AgentSession& operator=(const AgentSession&) = delete;
  ~AgentSession();

  ProcessId start_command(const AgentCommand& command, Stdio stdio, ProcessHandlers handlers);
  ProcessId start_box(const AgentBox& box, Stdio stdio, ProcessHandlers handlers);
  // A further process in `box`, or a file task; the request's handlers are called as ExecRequest
  // says.
  ProcessId start_exec(ProcessId box, const ExecRequest& request);
  // The streams of the workload that a supervisor runs, until its end.
  ProcessId attach(Stdio stdio, ProcessHandlers handlers);
  // Dropped when the process has ended.
  void signal(ProcessId process, int number);
  void resize(ProcessId process, TerminalSize size);
  // Asks about a box: a JSON object with a member "do" (see protocol.hpp). The answer is JSON too,
  // or the error that the peer gave or that the connection was lost with.
  void request(ProcessId box, std::string_view json, Answer<std::string> answer);
  // Answers once with the guest's own view: {"total_bytes": ..., "free_bytes": ...,
  // "available_bytes": ..., "cpus": ...}.
  void request_memory(std::function<void(std::string_view json)> on_memory);
  void power_off();
  // Answers when the agent's workload stands still and neither side says anything any more, until
  // go_on(): its machine can be saved. What is asked for meanwhile is sent then.
  void freeze(Done on_frozen);
  void go_on();
  // At once after the construction, where the agent is one that was saved while it was frozen:
  // gives it time and randomness of its own, and its box, where it has one, that host name.
  void go_on_as_copy(std::string_view hostname = {});
  // After that: the workload that the agent was saved with, before any other process.
  ProcessId adopt_box(Stdio stdio, ProcessHandlers handlers);
  // Why the connection is lost; empty while it is not.
  const std::optional<base::Error>& lost() const;

 private:
  class Core;
  std::shared_ptr<Core> core_;
};

}  // namespace twinbox::sandbox
