// One run of a box's workload, from its start to the last byte of its output.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "base/event_loop.hpp"
#include "sandbox/engine.hpp"
#include "supervise/input.hpp"
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

  Run(base::EventLoop& loop, Input& input, Output& output, Handlers handlers);
  // The request that is made has no streams yet. What goes wrong is told to on_end.
  void start(sandbox::Engine& engine, const std::function<sandbox::BoxRequest()>& make_request);

  // To the workload, where there is one.
  void signal(int number);
  // Only once it has been executed.
  sandbox::Box& box() { return *box_; }
  bool executed() const { return executed_; }

 private:
  void begin(sandbox::Engine& engine, sandbox::BoxRequest request);
  void on_box_end(const sandbox::Outcome& outcome);
  void tell_end();

  base::EventLoop& loop_;
  Input& input_;
  Output& output_;
  Handlers handlers_;
  std::unique_ptr<sandbox::Box> box_;
  bool executed_ = false;
  std::optional<sandbox::Outcome> outcome_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace twinbox::supervise
