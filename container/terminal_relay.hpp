// Carries bytes between the master side of a box's terminal and a pair of streams.
#pragma once

#include <functional>

#include "base/event_loop.hpp"
#include "base/fd.hpp"
#include "sandbox/spec.hpp"
#include "sandbox/stream_relay.hpp"

namespace twinbox::container {

// What comes from `in` is typed; what the terminal shows goes to `out`. The end of `in` types
// nothing: a terminal has no end.
class TerminalRelay {
 public:
  TerminalRelay(base::EventLoop& loop, base::Fd master, base::Fd in, base::Fd out);
  TerminalRelay(const TerminalRelay&) = delete;
  TerminalRelay& operator=(const TerminalRelay&) = delete;

  void resize(sandbox::TerminalSize size) const;
  // The process that the terminal was for has ended: what it has shown by now is the rest. Calls
  // back, perhaps at once, when that is delivered, or its reader is gone.
  void finish(std::function<void()> on_drained);

 private:
  base::Fd master_;
  sandbox::StreamSink typed_;
  sandbox::StreamSource input_;
  sandbox::StreamSink shown_;
  sandbox::StreamSource output_;
  std::function<void()> on_drained_;
};

}  // namespace twinbox::container
