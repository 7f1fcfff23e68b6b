#include "cli/typed_input.hpp"

#include <sys/epoll.h>
#include <sys/ioctl.h>

#include <array>
#include <chrono>
#include <span>
#include <tuple>
#include <utility>

#include "base/error.hpp"
#include "base/syscall.hpp"

namespace twinbox::cli {

using namespace std::chrono_literals;

TypedInput::TypedInput(base::EventLoop& loop, int fd, std::string detach_keys,
                       std::function<void()> on_detach)
    : loop_(loop), fd_(fd), filter_(std::move(detach_keys)), on_detach_(std::move(on_detach)) {
  std::tie(output_, pipe_) = base::make_pipe();
  base::set_nonblocking(pipe_.get(), true);
  watch(fd_, EPOLLIN, &TypedInput::read);
}

void TypedInput::read() {
  std::array<std::byte, 4096> buffer{};
  std::optional<std::size_t> count;
  try {
    count = base::read_some(fd_, buffer);
  } catch (const base::Error&) {
    count = 0;  // EIO: the terminal is gone
  }
  if (!count) return;
  if (*count == 0) return stop();
  auto typed = filter_.take({reinterpret_cast<const char*>(buffer.data()), *count});
  pending_ += typed.text;
  write();
  if (!typed.detach) return;
  unwatch(fd_);
  checks_left_ = 1000;
  timer_ = loop_.add_timer(
      1ms, [this] { detach_when_read(); }, 1ms);
}

// What was typed before the keys is still for the box, unless that takes nothing.
void TypedInput::detach_when_read() {
  if (!all_is_read() && --checks_left_ > 0) return;
  stop();
  on_detach_();
}

bool TypedInput::all_is_read() const {
  int waiting = 0;
  return !pipe_ ||
         (pending_.empty() && ::ioctl(output_.get(), FIONREAD, &waiting) == 0 && waiting == 0);
}

void TypedInput::write() {
  try {
    const auto written = base::write_some(pipe_.get(), std::as_bytes(std::span(pending_)));
    pending_.erase(0, written.value_or(0));
  } catch (const base::Error&) {
    return stop();  // the box reads no more
  }
  if (pending_.empty()) {
    unwatch(pipe_.get());
    if (!timer_) watch(fd_, EPOLLIN, &TypedInput::read);
  } else {
    unwatch(fd_);
    watch(pipe_.get(), EPOLLOUT, &TypedInput::write);
  }
}

void TypedInput::stop() {
  if (timer_) loop_.cancel_timer(*timer_);
  timer_.reset();
  unwatch(fd_);
  unwatch(pipe_.get());
  pipe_.reset();
}

void TypedInput::watch(int fd, std::uint32_t events, void (TypedInput::*callback)()) {
  if (loop_.watches(fd)) return;
  loop_.add(fd, events, [this, callback](std::uint32_t) { (this->*callback)(); });
}

void TypedInput::unwatch(int fd) {
  if (loop_.watches(fd)) loop_.remove(fd);
}

}  // namespace twinbox::cli
