#include "supervise/detached.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstddef>
#include <utility>

#include "base/error.hpp"
#include "base/syscall.hpp"

namespace twinbox::supervise {
namespace {

// Of the command: what it was started with, or set up for itself.
void reset_signals() {
  for (int number = 1; number < NSIG; ++number) ::signal(number, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

// All that the command was started with, or has opened, beside its streams and what the box needs:
// whoever waits for the end of it must not wait for the box.
void close_all_but(std::vector<int> kept) {
  kept.push_back(STDERR_FILENO);
  std::ranges::sort(kept);
  for (std::size_t i = 0; i < kept.size(); ++i) {
    const auto first = static_cast<unsigned>(kept[i]) + 1;
    const auto last = i + 1 < kept.size() ? static_cast<unsigned>(kept[i + 1]) - 1 : ~0U;
    if (kept[i] >= STDERR_FILENO && first <= last) ::close_range(first, last, 0);
  }
}

}  // namespace

void leave_command(std::vector<int> kept) {
  ::setsid();
  reset_signals();
  close_all_but(std::move(kept));
  const auto nothing = base::open_file("/dev/null", O_RDWR);
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO}) ::dup2(nothing.get(), fd);
  if (::chdir("/") != 0) base::throw_errno("cannot enter /");
}

}  // namespace twinbox::supervise
