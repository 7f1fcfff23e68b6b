#include "supervisor_fixture.hpp"

#include <signal.h>
#include <sys/epoll.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <utility>

#include "base/syscall.hpp"
#include "support/script_engine.hpp"
#include "tests/support/collect_pipe.hpp"

namespace twinbox::tests {

namespace {

// Far beyond anything but a hang, since the machine may be busy.
constexpr std::chrono::seconds patience{60};

base::Fd pipe_with(const std::string& text) {
  auto [read_end, write_end] = base::make_pipe();
  base::write_all(write_end.get(), text);
  return std::move(read_end);
}

}  // namespace

Attachment::Attachment(base::EventLoop& loop, supervise::BoxClient& client,
                       const std::optional<std::string>& input)
    : loop_(loop) {
  auto [out_read, out_write] = base::make_pipe();
  auto [err_read, err_write] = base::make_pipe();
  out_pipe_ = std::move(out_read);
  err_pipe_ = std::move(err_read);
  for (const auto* pipe : {&out_pipe_, &err_pipe_}) base::set_nonblocking(pipe->get(), true);
  const auto in = input ? pipe_with(*input) : base::Fd();
  client.attach({in.get(), out_write.get(), err_write.get()},
                [this](const sandbox::Outcome& outcome) { outcome_ = outcome; });
  stall(false);
  loop_.add(err_pipe_.get(), EPOLLIN,
            [this](std::uint32_t) { tests::collect_pipe(loop_, err_pipe_, err_); });
}

Attachment::~Attachment() {
  for (const auto* pipe : {&out_pipe_, &err_pipe_}) {
    if (*pipe && loop_.watches(pipe->get())) loop_.remove(pipe->get());
  }
}

void Attachment::stall(bool on) {
  if (on) return loop_.remove(out_pipe_.get());
  loop_.add(out_pipe_.get(), EPOLLIN,
            [this](std::uint32_t) { tests::collect_pipe(loop_, out_pipe_, out_); });
}

SupervisorFixture::SupervisorFixture() {
  ::setenv("TWINBOX_ROOT", scratch.path().c_str(), 1);  // where events go
}

SupervisorFixture::~SupervisorFixture() {
  client.reset();
  if (supervisor == 0) return;
  ::kill(supervisor, SIGKILL);
  base::wait_for(supervisor);
}

supervise::BoxSettings SupervisorFixture::default_settings() {
  supervise::BoxSettings settings;
  settings.image = "none";
  settings.engine = "script";
  settings.stop_timeout = 60;
  return settings;
}

void SupervisorFixture::launch(const std::optional<std::string>& script,
                               const supervise::BoxSettings& settings) {
  auto spec = sandbox::default_spec();
  spec.process.args = {script.value_or("")};
  auto box = store.create("test", settings, spec);
  id = box.record().id;
  { const auto let_go = std::move(box); }
  launch_again();
}

void SupervisorFixture::launch_again() {
  launch([this] { return store.own(id); });
}

void SupervisorFixture::launch(const std::function<supervise::OwnedBox()>& open) {
  auto [pid, control] = supervise::launch_supervisor(
      {.open = open,
       .make_engine = [](const auto&) { return std::make_unique<ScriptEngine>(); },
       .prepare_root = [](const auto&) { return supervise::SupervisorRequest::Root{}; }});
  supervisor = pid;
  client = std::make_unique<supervise::BoxClient>(loop, std::move(control));
}

void SupervisorFixture::start() {
  ask<supervise::Started>([&](const auto& answer) { client->start(answer); });
}

std::unique_ptr<supervise::BoxClient> SupervisorFixture::connect() {
  std::unique_ptr<supervise::BoxClient> made;
  run_until([&] {
    try {
      made = supervise::BoxClient::connect(loop, store, record());
    } catch (const base::Error&) {  // it does not listen yet
    }
    return made != nullptr;
  });
  return made;
}

void SupervisorFixture::run_until(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!condition()) {
    loop.run_once(std::chrono::milliseconds(100));
    ASSERT_LT(std::chrono::steady_clock::now(), deadline) << "nothing came";
  }
}

void SupervisorFixture::join() { base::wait_for(std::exchange(supervisor, 0)); }

base::Error SupervisorFixture::error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const base::Error& error) {
    return error;
  }
  return {base::ErrorKind::internal, "nothing was thrown"};
}

}  // namespace twinbox::tests
