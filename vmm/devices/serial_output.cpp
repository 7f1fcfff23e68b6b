#include "vmm/devices/serial_output.hpp"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/timerfd.h>

#include <algorithm>
#include <utility>

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/syscall.hpp"

namespace twinbox::vmm {
namespace {

bool is_writable(int fd, std::chrono::milliseconds limit) {
  pollfd waiting{.fd = fd, .events = POLLOUT, .revents = 0};
  return ::poll(&waiting, 1, static_cast<int>(limit.count())) > 0;
}

// Opening a pseudo-terminal's master again would make a new terminal.
bool can_reopen(const struct stat& status) {
  return S_ISFIFO(status.st_mode) || (S_ISCHR(status.st_mode) && status.st_rdev != ::makedev(5, 2));
}

}  // namespace

SerialOutput::SerialOutput(base::EventLoop& loop, int descriptor, std::function<void()> on_room)
    : loop_(loop),
      on_room_(std::move(on_room)),
      timer_(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)) {
  if (!timer_) base::throw_errno("cannot make a timer");
  open(descriptor);
  loop_.add(timer_.get(), EPOLLIN, [this](std::uint32_t) {
    base::drain_eventfd(timer_.get());
    write_waiting();
  });
}

SerialOutput::~SerialOutput() {
  loop_.remove(timer_.get());
  loop_.remove(output_.get());
}

// O_NONBLOCK belongs to the open file, which a terminal or pipe shares with other processes: only a
// file opened anew may have it.
void SerialOutput::open(int descriptor) {
  struct stat status {};
  if (::fstat(descriptor, &status) != 0) base::throw_errno("cannot examine the serial output");
  if (can_reopen(status)) {
    try {
      output_ = base::open_file(fmt::format("/proc/self/fd/{}", descriptor),
                                O_WRONLY | O_NONBLOCK | O_NOCTTY);
      return;
    } catch (const base::Error& error) {
      base::log(base::LogLevel::debug, "serial output: {}", error.what());
    }
  }
  output_ = base::duplicate(descriptor);
  if (S_ISSOCK(status.st_mode)) kind_ = Kind::socket;
  if (S_ISFIFO(status.st_mode) || S_ISCHR(status.st_mode)) kind_ = Kind::needs_poll;
}

bool SerialOutput::put(std::byte value) {
  const std::lock_guard lock(mutex_);
  if (waiting_.size() < 2 * enough) waiting_.push_back(value);
  if (!timer_armed_) {
    timer_armed_ = true;
    const itimerspec soon{.it_interval = {},
                          .it_value = {0, std::chrono::nanoseconds(gathering).count()}};
    ::timerfd_settime(timer_.get(), 0, &soon, nullptr);
  }
  held_back_ = waiting_.size() >= enough;
  return !held_back_;
}

// True when nothing waits any more.
bool SerialOutput::write_waiting() {
  bool had_held_back = false;
  bool blocked = false;
  while (!blocked) {
    if (written_ == writing_.size()) {
      writing_.clear();
      written_ = 0;
      const std::lock_guard lock(mutex_);
      std::swap(writing_, waiting_);
      had_held_back = std::exchange(held_back_, false) || had_held_back;
      timer_armed_ = false;
      if (writing_.empty()) break;
    }
    const auto count = write_now(std::span(writing_).subspan(written_));
    blocked = !count;
    written_ += count.value_or(0);
  }
  if (blocked) watch_writable();
  if (had_held_back) on_room_();
  return !blocked;
}

std::optional<std::size_t> SerialOutput::write_now(std::span<const std::byte> bytes) {
  try {
    switch (kind_) {
      case Kind::nonblocking:
        return base::write_some(output_.get(), bytes);
      case Kind::socket:
        return base::send_some(output_.get(), bytes);
      case Kind::needs_poll:
        break;
    }
    if (!is_writable(output_.get(), {})) return std::nullopt;
    return base::write_some(output_.get(), bytes.first(std::min<std::size_t>(bytes.size(), 256)));
  } catch (const base::Error& error) {
    // A reader that is gone takes everything: the guest's console must not stall.
    base::log(base::LogLevel::debug, "serial output is lost: {}", error.what());
    return bytes.size();
  }
}

void SerialOutput::watch_writable() {
  if (loop_.watches(output_.get())) return;
  loop_.add(output_.get(), EPOLLOUT, [this](std::uint32_t) {
    loop_.remove(output_.get());
    write_waiting();
  });
}

void SerialOutput::flush(std::chrono::milliseconds limit) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (!write_waiting()) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0 || !is_writable(output_.get(), left)) return;
  }
}

}  // namespace twinbox::vmm
