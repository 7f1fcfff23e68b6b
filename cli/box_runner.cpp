#include "cli/box_runner.hpp"

#include <sys/epoll.h>
#include <sys/signalfd.h>

#include <array>
#include <csignal>
#include <span>
#include <utility>

#include "base/event_loop.hpp"
#include "base/syscall.hpp"

namespace twinbox::cli {
namespace {

// All that a user or a supervisor may mean for the workload. Not SIGCHLD, SIGPIPE, SIGURG, and not
// the job control signals, which stop and continue this process itself.
constexpr std::array forwarded{SIGTERM, SIGINT,  SIGHUP,   SIGQUIT, SIGUSR1,
                               SIGUSR2, SIGALRM, SIGWINCH, SIGCONT};

void forward(int signals, sandbox::Box& box) {
  signalfd_siginfo info{};
  while (base::read_some(signals, std::as_writable_bytes(std::span(&info, 1)))) {
    box.signal(static_cast<int>(info.ssi_signo));
  }
}

}  // namespace

sandbox::Outcome run_in_foreground(sandbox::Box& box) {
  const auto signals = base::make_signalfd(forwarded);
  base::EventLoop loop;
  loop.add(signals.get(), EPOLLIN, [&](std::uint32_t) { forward(signals.get(), box); });
  sandbox::Outcome outcome;
  bool ended = false;
  box.start(loop, [&](const sandbox::Outcome& result) {
    outcome = result;
    ended = true;
    loop.stop();
  });
  if (!ended) loop.run();
  loop.remove(signals.get());
  return outcome;
}

}  // namespace twinbox::cli
