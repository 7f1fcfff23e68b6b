// One process that the host asked for: its three pipes, carried over the connection, and its end.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "base/event_loop.hpp"
#include "base/fd.hpp"
#include "sandbox/engine.hpp"
#include "sandbox/frame_connection.hpp"
#include "sandbox/stream_relay.hpp"

namespace twinbox::agent {

// What runs behind a workload's streams: a plain process, or a box.
class Runner {
 public:
  virtual ~Runner() = default;
  virtual void signal(int number) = 0;
};

class Workload {
 public:
  // `on_gone` is called from the top of the loop when the host has been told the end: the owner may
  // drop the workload then.
  Workload(base::EventLoop& loop, std::shared_ptr<sandbox::FrameConnection> connection,
           std::uint32_t id, std::function<void()> on_gone);

  // The ends of the pipes for the process; they are closed by started() and conclude().
  sandbox::Stdio process_ends() const;
  void run_by(std::unique_ptr<Runner> runner) { runner_ = std::move(runner); }
  // The process was executed.
  void started();
  // The process has ended, or could not be started: the host is told after the last byte of output.
  void conclude(sandbox::Outcome outcome);

  // A frame from the host about this process. Throws base::Error when it breaks the protocol.
  void take(const sandbox::protocol::Frame& frame);

 private:
  struct Pipe {
    base::Fd ours;
    base::Fd theirs;
  };

  std::unique_ptr<sandbox::StreamSource> make_source(sandbox::protocol::Stream stream, base::Fd fd);
  std::unique_ptr<sandbox::StreamSink> make_sink(base::Fd fd);
  void close_process_ends();
  void settle();
  sandbox::StreamSource& source(std::string_view payload);

  base::EventLoop& loop_;
  std::shared_ptr<sandbox::FrameConnection> connection_;
  std::uint32_t id_;
  std::function<void()> on_gone_;
  std::unique_ptr<sandbox::StreamSink> in_;
  std::unique_ptr<sandbox::StreamSource> out_;
  std::unique_ptr<sandbox::StreamSource> err_;
  base::Fd process_in_;
  base::Fd process_out_;
  base::Fd process_err_;
  std::unique_ptr<Runner> runner_;
  std::optional<sandbox::Outcome> outcome_;
  bool told_ = false;
};

}  // namespace twinbox::agent
