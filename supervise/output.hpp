// What a workload prints, on its way to the log and to every client that is attached.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string_view>

#include "base/event_loop.hpp"
#include "base/fd.hpp"
#include "sandbox/stream_relay.hpp"
#include "supervise/log.hpp"

namespace twinbox::supervise {

// Outlives the runs of a box. The slowest listener sets the pace, as if the workload wrote to it
// directly: nothing is read that one of them has no credit for.
class Output {
 public:
  using Listener = std::function<void(LogStream stream, std::string_view bytes)>;
  using ListenerId = std::uint64_t;

  Output(base::EventLoop& loop, LogWriter log) : loop_(loop), log_(std::move(log)) {}

  // A run begins: the read ends of its pipes, non-blocking.
  void begin(base::Fd out, base::Fd err);
  // The run has ended: what the pipes hold now is the rest. on_drained follows, perhaps at once.
  void finish(std::function<void()> on_drained);

  ListenerId add(Listener listener);
  void remove(ListenerId id);
  // Throws base::Error when a listener gives back more than it was sent.
  void credit(ListenerId id, LogStream stream, std::uint32_t bytes);

 private:
  struct Stream {
    std::unique_ptr<sandbox::StreamSource> source;
    std::uint64_t sent = 0;
    std::uint64_t credited = 0;  // how far the slowest listener had come when last looked at
  };
  struct Entry {
    Listener listener;
    std::array<std::uint64_t, 2> taken{};
  };

  Stream& stream(LogStream which) { return streams_[static_cast<std::size_t>(which)]; }
  std::unique_ptr<sandbox::StreamSource> source(LogStream which, base::Fd fd);
  void deliver(LogStream which, std::string_view bytes);
  void pass_on_credit(LogStream which);
  void on_end();

  base::EventLoop& loop_;
  LogWriter log_;
  std::array<Stream, 2> streams_;
  std::map<ListenerId, Entry> listeners_;
  ListenerId last_id_ = 0;
  std::function<void()> on_drained_;
};

}  // namespace twinbox::supervise
