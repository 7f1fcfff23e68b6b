// One direction of a workload's stream between a local descriptor and the framed protocol, under
// credit; both the host and the agent use it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/event_loop.hpp"
#include "base/fd.hpp"
#include "sandbox/quiet_writer.hpp"

namespace twinbox::sandbox {

// Reads a descriptor and sends what it reads, never more than the peer gave credit for.
class StreamSource {
 public:
  struct Handlers {
    std::function<void(std::string_view bytes)> send;
    // Nothing follows: the end of file, or (after finish()) an empty descriptor. Called once.
    std::function<void()> on_end;
  };

  // An empty `fd` is a stream that has ended.
  StreamSource(base::EventLoop& loop, base::Fd fd, Handlers handlers);
  StreamSource(const StreamSource&) = delete;
  StreamSource& operator=(const StreamSource&) = delete;
  ~StreamSource() { stop(); }

  // Begins to read; not in the constructor, so that handlers find their owner complete.
  void start();
  // Throws base::Error when the peer gives back more than it was sent.
  void add_credit(std::uint32_t bytes);
  // A full window again: nobody counts what is sent any more.
  void reopen();
  // For another peer, which has had nothing yet: what waits in the (non-blocking) descriptor is
  // thrown away, and the window is full again.
  void begin_anew();
  // The writer is gone: what waits in the (non-blocking) descriptor now is the rest.
  void finish();
  // Reads no more; the descriptor is closed, and on_end is called unless it was.
  void close();
  bool ended() const { return ended_; }

 private:
  void stop();
  void update_watch();
  // Nothing when there is nothing now, no bytes at the end.
  std::optional<std::size_t> read_piece(std::span<std::byte> buffer) const;
  base::EventLoop::Callback on_readable();
  void pump();
  bool reads_by_itself() const;
  // Sends one piece; false when there is none now.
  bool send_piece();

  base::EventLoop& loop_;
  base::Fd fd_;
  Handlers handlers_;
  std::uint32_t credit_;
  std::size_t rest_ = std::numeric_limits<std::size_t>::max();  // of a finished one, in bytes
  bool pumping_ = false;
  bool pollable_ = true;
  bool watched_ = false;
  bool finishing_ = false;
  bool ended_ = false;
};

// Takes received bytes and writes them to a descriptor as fast as that takes them.
class StreamSink {
 public:
  struct Handlers {
    std::function<void(std::uint32_t bytes)> give_credit;
    // The descriptor takes no more (EPIPE when its reader is gone); what comes later is thrown
    // away. Called once at most.
    std::function<void(const base::Error& reason)> on_closed;
    // After finish(): all is written or thrown away. Called once.
    std::function<void()> on_drained;
  };

  // An empty `fd` throws everything away.
  StreamSink(base::EventLoop& loop, base::Fd fd, Handlers handlers);
  StreamSink(const StreamSink&) = delete;
  StreamSink& operator=(const StreamSink&) = delete;
  ~StreamSink() { stop(); }

  // Throws base::Error when the peer sends more than it has credit for.
  void push(std::string_view bytes);
  // No more bytes come; the descriptor is closed once all are written.
  void finish();
  // For another peer, which has sent nothing yet: what is not written is thrown away.
  void begin_anew();
  // Whether what is pushed still arrives.
  bool open() const { return !broken_ && !finishing_; }
  bool drained() const { return drained_; }

 private:
  void stop();
  void set_watch(bool on);
  void flush();
  void write_queue();
  void consumed(std::size_t bytes);

  base::EventLoop& loop_;
  QuietWriter writer_;
  Handlers handlers_;
  std::string queue_;
  std::size_t queue_start_ = 0;
  std::uint32_t outstanding_ = 0;  // received and not yet given back as credit
  std::uint32_t uncredited_ = 0;   // of these, already written
  bool watched_ = false;
  bool broken_ = false;
  bool finishing_ = false;
  bool drained_ = false;
};

}  // namespace twinbox::sandbox
