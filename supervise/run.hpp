// One run of a box's workload, from its start to the last byte of its output.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "base/event_loop.hpp"
#include "base/fd.hpp"
#include "sandbox/engine.hpp"
#include "sandbox/stream_relay.hpp"
#include "supervise/output.hpp"

namespace twinbox::supervise {

class Run {
 public:
  struct Handlers {
    std::function<void()> on_executed;
    // Called once from the top of the loop, after all output has been delivered; may destroy the
    // run.
    std::function<void(const sandbox::Outcome& outcome)> on_end;
  };

  // `request` has no streams yet. With `open_stdin` the workload reads what clients send, else
  // nothing.
  Run(base::EventLoop& loop, Output& output, bool open_stdin, Handlers handlers);
  // What goes wrong is told to on_end.
  void start(sandbox::Engine& engine, sandbox::BoxRequest request);

  sandbox::Box& box() { return *box_; }
  bool executed() const { return executed_; }
  // A way to type to the workload; empty where its stdin is not open.
  base::Fd open_input() const;
  // Nobody will type any more.
  void close_input() { input_.reset(); }

 private:
  void begin(sandbox::Engine& engine, sandbox::BoxRequest request);
  void on_box_end(const sandbox::Outcome& outcome);
  void tell_end();

  base::EventLoop& loop_;
  Output& output_;
  bool open_stdin_;
  Handlers handlers_;
  std::unique_ptr<sandbox::Box> box_;
  base::Fd input_;
  bool executed_ = false;
  std::optional<sandbox::Outcome> outcome_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace twinbox::supervise
