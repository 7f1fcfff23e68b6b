#include "supervise/run.hpp"

#include <fcntl.h>

#include <utility>

#include "base/syscall.hpp"

namespace twinbox::supervise {

Run::Run(base::EventLoop& loop, Output& output, bool open_stdin, Handlers handlers)
    : loop_(loop), output_(output), open_stdin_(open_stdin), handlers_(std::move(handlers)) {}

void Run::start(sandbox::Engine& engine, sandbox::BoxRequest request) {
  try {
    begin(engine, std::move(request));
  } catch (const base::Error& error) {
    on_box_end({.status = sandbox::status_own_error, .oom_killed = false, .error = error});
  }
}

void Run::begin(sandbox::Engine& engine, sandbox::BoxRequest request) {
  auto [out_read, out_write] = base::make_pipe();
  auto [err_read, err_write] = base::make_pipe();
  base::Fd in_read;
  if (open_stdin_) {
    std::tie(in_read, input_) = base::make_pipe();
    base::set_nonblocking(input_.get(), true);
  } else {
    in_read = base::open_file("/dev/null", O_RDONLY);
  }
  base::set_nonblocking(out_read.get(), true);
  base::set_nonblocking(err_read.get(), true);
  output_.begin(std::move(out_read), std::move(err_read));
  request.stdio = {in_read.get(), out_write.get(), err_write.get()};
  request.on_executed = [this] {
    executed_ = true;
    handlers_.on_executed();
  };
  box_ = engine.create(std::move(request));
  box_->start(loop_, [this](const sandbox::Outcome& outcome) { on_box_end(outcome); });
}

void Run::on_box_end(const sandbox::Outcome& outcome) {
  outcome_ = outcome;
  input_.reset();
  output_.finish([this] { tell_end(); });
}

void Run::tell_end() {
  loop_.add_timer({}, [this, alive = std::weak_ptr(alive_)] {
    if (alive.expired()) return;
    // The handler destroys this run, and all in it.
    const auto on_end = handlers_.on_end;
    const auto outcome = *outcome_;
    on_end(outcome);
  });
}

base::Fd Run::open_input() const { return input_ ? base::duplicate(input_.get()) : base::Fd(); }

}  // namespace twinbox::supervise
