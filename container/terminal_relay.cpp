#include "container/terminal_relay.hpp"

#include <sys/ioctl.h>

#include <utility>

#include "base/syscall.hpp"

namespace twinbox::container {
namespace {

base::Fd nonblocking_duplicate(int fd) {
  base::set_nonblocking(fd, true);
  return base::duplicate(fd);
}

}  // namespace

TerminalRelay::TerminalRelay(base::EventLoop& loop, base::Fd master, base::Fd in, base::Fd out)
    : master_(std::move(master)),
      typed_(loop, nonblocking_duplicate(master_.get()),
             {.give_credit = [this](std::uint32_t bytes) { input_.add_credit(bytes); },
              .on_closed = [](const base::Error&) {},
              .on_drained = [] {}}),
      input_(loop, std::move(in),
             {.send = [this](std::string_view bytes) { typed_.push(bytes); }, .on_end = [] {}}),
      shown_(loop, std::move(out),
             {.give_credit = [this](std::uint32_t bytes) { output_.add_credit(bytes); },
              .on_closed = [](const base::Error&) {},
              .on_drained =
                  [this] {
                    if (const auto drained = std::exchange(on_drained_, nullptr)) drained();
                  }}),
      output_(loop, nonblocking_duplicate(master_.get()),
              {.send = [this](std::string_view bytes) { shown_.push(bytes); },
               .on_end =
                   [this] {
                     if (on_drained_) shown_.finish();
                   }}) {
  input_.start();
  output_.start();
}

void TerminalRelay::resize(sandbox::TerminalSize size) const {
  winsize window{};
  window.ws_col = size.columns;
  window.ws_row = size.rows;
  ::ioctl(master_.get(), TIOCSWINSZ, &window);
}

void TerminalRelay::finish(std::function<void()> on_drained) {
  on_drained_ = std::move(on_drained);
  if (output_.ended()) return shown_.finish();
  output_.finish();
}

}  // namespace twinbox::container
