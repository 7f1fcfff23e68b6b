// The serving end of one process that a peer asked for: its three pipes, carried over the
// connection, and its end. The agent serves a host so, and a supervisor its clients.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/event_loop.hpp"
#include "base/fd.hpp"
#include "sandbox/engine.hpp"
#include "sandbox/frame_connection.hpp"
#include "sandbox/stream_relay.hpp"

namespace twinbox::sandbox {

// Tells a peer how its process ended, or why it never ran.
void send_outcome(FrameConnection& connection, std::uint32_t process, const Outcome& outcome);

// Answers a request frame: with JSON text, or with an error.
void send_reply(FrameConnection& connection, std::uint32_t process, std::uint32_t request,
                const std::variant<std::string, base::Error>& answer);

class ServedProcess {
 public:
  // `on_gone` is called from the top of the loop when the peer has been told the end: the owner may
  // drop this then.
  ServedProcess(base::EventLoop& loop, std::shared_ptr<FrameConnection> connection,
                std::uint32_t id, std::function<void()> on_gone);

  // The ends of the pipes for the process; they are closed by started() and conclude().
  Stdio process_ends() const;
  void run_by(std::unique_ptr<BoxProcess> process) { process_ = std::move(process); }
  // The process was executed.
  void started();
  // The process has ended, or could not be started: the host is told after the last byte of output.
  void conclude(Outcome outcome);

  // Ends the process if it still runs; not to be called from its own callbacks.
  void end(Outcome outcome);
  // This is a copy of the machine that the process was started in, and another peer is at the other
  // end, which has asked for no process: it is told of this one. What the former peer has not been
  // sent, and what it sent that the process has not got, is thrown away.
  void begin_anew();
  // The peer is gone: the process goes on, its input at an end and its output thrown away.
  void abandon();

  // A frame from the peer about this process. Throws base::Error when it breaks the protocol.
  void take(const protocol::Frame& frame);

 private:
  std::unique_ptr<StreamSource> make_source(protocol::Stream stream, base::Fd fd);
  std::unique_ptr<StreamSink> make_sink(base::Fd fd);
  void close_process_ends();
  void settle();
  StreamSource& source(std::string_view payload);

  base::EventLoop& loop_;
  std::shared_ptr<FrameConnection> connection_;
  std::uint32_t id_;
  std::function<void()> on_gone_;
  std::unique_ptr<StreamSink> in_;
  std::unique_ptr<StreamSource> out_;
  std::unique_ptr<StreamSource> err_;
  base::Fd process_in_;
  base::Fd process_out_;
  base::Fd process_err_;
  std::unique_ptr<BoxProcess> process_;
  std::optional<Outcome> outcome_;
  bool told_ = false;
  bool abandoned_ = false;
};

}  // namespace twinbox::sandbox
