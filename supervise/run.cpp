#include "supervise/run.hpp"

#include <utility>

#include "base/syscall.hpp"

namespace twinbox::supervise {

Run::Run(base::EventLoop& loop, Input& input, Output& output, Handlers handlers)
    : loop_(loop), input_(input), output_(output), handlers_(std::move(handlers)) {}

void Run::start(sandbox::Engine& engine, const std::function<sandbox::BoxRequest()>& make_request) {
  try {
    begin(engine, make_request());
  } catch (const base::Error& error) {
    on_box_end({.status = sandbox::status_own_error, .oom_killed = false, .error = error});
  }
}

void Run::begin(sandbox::Engine& engine, sandbox::BoxRequest request) {
  const auto in = input_.take_read_end();
  auto [out_read, out_write] = base::make_pipe();
  auto [err_read, err_write] = base::make_pipe();
  base::set_nonblocking(out_read.get(), true);
  base::set_nonblocking(err_read.get(), true);
  output_.begin(std::move(out_read), std::move(err_read));
  request.stdio = {in.get(), out_write.get(), err_write.get()};
  request.on_executed = [this] {
    executed_ = true;
    handlers_.on_executed();
  };
  box_ = engine.create(std::move(request));
  box_->start(loop_, [this](const sandbox::Outcome& outcome) { on_box_end(outcome); });
}

void Run::signal(int number) {
  if (box_ && !outcome_) box_->signal(number);
}

void Run::on_box_end(const sandbox::Outcome& outcome) {
  outcome_ = outcome;
  output_.finish([this] { tell_end(); });
}

void Run::tell_end() {
  loop_.defer([this, alive = std::weak_ptr(alive_)] {
    if (alive.expired()) return;
    // The handler destroys this run, and all in it.
    const auto on_end = handlers_.on_end;
    const auto outcome = *outcome_;
    on_end(outcome);
  });
}

}  // namespace twinbox::supervise
