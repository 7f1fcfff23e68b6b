// One end of the framed protocol over a descriptor in an event loop; both the host and the agent
// use it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/event_loop.hpp"
#include "base/fd.hpp"
#include "sandbox/protocol.hpp"
#include "sandbox/quiet_writer.hpp"

namespace twinbox::sandbox {

// Made with open(). A callback may close() it or drop its last reference.
class FrameConnection : public std::enable_shared_from_this<FrameConnection> {
 public:
  // A throw from here ends the connection with that error.
  using OnFrame = std::function<void(protocol::Frame)>;
  // Called once, when the peer is gone, broke the protocol, or reads nothing any more.
  using OnEnd = std::function<void(const base::Error&)>;

  // `peer` names the other end in errors.
  static std::shared_ptr<FrameConnection> open(base::EventLoop& loop, base::Fd stream,
                                               std::string peer, OnFrame on_frame, OnEnd on_end);
  FrameConnection(const FrameConnection&) = delete;
  FrameConnection& operator=(const FrameConnection&) = delete;
  ~FrameConnection();

  // Queues a frame and writes what the stream takes now. Nothing after the end.
  void send(protocol::FrameType type, std::uint32_t process, std::string_view payload);
  // What is sent from now on waits for release().
  void hold() { held_.emplace(); }
  // Ends it, with a frame ahead of what waited.
  void release(protocol::FrameType type, std::uint32_t process, std::string_view payload);
  void release();
  // Forgets what waits.
  void drop_held();
  // Writes what is queued, waiting for the stream; for last words.
  void flush();
  // Whether the stream has taken all that was queued, or is no more.
  bool drained() const { return !open_ || output_.empty(); }
  // Lets go of the stream without calling on_end.
  void close();

 private:
  FrameConnection(base::EventLoop& loop, base::Fd stream, std::string peer, OnFrame on_frame,
                  OnEnd on_end);
  void watch();
  void on_event(std::uint32_t events);
  void receive();
  void transmit();
  void end(const base::Error& reason);

  base::EventLoop& loop_;
  QuietWriter stream_;
  std::string peer_;
  OnFrame on_frame_;
  OnEnd on_end_;
  protocol::Decoder decoder_;
  std::string output_;
  std::size_t output_start_ = 0;
  std::optional<std::string> held_;
  bool open_ = true;
  bool watching_output_ = false;
};

}  // namespace twinbox::sandbox
