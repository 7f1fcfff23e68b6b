#include "compare/interruption.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <cstdint>

#include "base/error.hpp"
#include "base/fd.hpp"

namespace twinbox::compare {
namespace {

constexpr std::array watched{SIGINT, SIGTERM, SIGHUP};

std::atomic<int> caught = 0;
std::atomic<int> event = -1;
std::array<struct sigaction, watched.size()> before{};

void on_signal(int signal) {
  const int saved = errno;
  caught = signal;
  const std::uint64_t one = 1;
  static_cast<void>(!::write(event, &one, sizeof one));
  errno = saved;
}

}  // namespace

InterruptionWatch::InterruptionWatch() {
  caught = 0;
  event = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (event < 0) base::throw_errno("cannot make an eventfd");
  struct sigaction action {};
  action.sa_handler = on_signal;
  // Whoever asks twice does not want to wait for the undoing; the next comparison does it then.
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  for (std::size_t i = 0; i < watched.size(); ++i) {
    ::sigaction(watched.at(i), nullptr, &before.at(i));
    // nohup's choice stands.
    if (before.at(i).sa_handler != SIG_IGN) ::sigaction(watched.at(i), &action, nullptr);
  }
}

InterruptionWatch::~InterruptionWatch() {
  for (std::size_t i = 0; i < watched.size(); ++i) {
    ::sigaction(watched.at(i), &before.at(i), nullptr);
  }
  const base::Fd closed(event.exchange(-1));
}

int interruption_fd() { return event; }

void stop_if_interrupted() {
  if (caught != 0 && event >= 0) throw Interrupted(caught);
}

}  // namespace twinbox::compare
