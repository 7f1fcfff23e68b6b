#include "base/event_loop.hpp"

#include <sys/epoll.h>
#include <sys/timerfd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <span>
#include <utility>

#include "base/error.hpp"
#include "base/syscall.hpp"

namespace twinbox::base {
namespace {

timespec to_timespec(std::chrono::nanoseconds value) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(value);
  return {seconds.count(), (value - seconds).count()};
}

}  // namespace

EventLoop::EventLoop() : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
  if (!epoll_) throw_errno("cannot make an epoll instance");
}

void EventLoop::add(int fd, std::uint32_t events, Callback callback) {
  if (!add_if_pollable(fd, events, std::move(callback))) {
    throw_errno("cannot watch descriptor {}", fd);
  }
}

bool EventLoop::add_if_pollable(int fd, std::uint32_t events, Callback callback) {
  epoll_event event{.events = events, .data = {.fd = fd}};
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
    if (errno == EPERM) return false;
    throw_errno("cannot watch descriptor {}", fd);
  }
  callbacks_[fd] = std::make_shared<Callback>(std::move(callback));
  return true;
}

void EventLoop::modify(int fd, std::uint32_t events) {
  epoll_event event{.events = events, .data = {.fd = fd}};
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event) != 0) {
    throw_errno("cannot change the watch on descriptor {}", fd);
  }
}

void EventLoop::remove(int fd) {
  if (callbacks_.erase(fd) != 0) ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
}

EventLoop::TimerId EventLoop::add_timer(std::chrono::nanoseconds delay,
                                        std::function<void()> callback,
                                        std::chrono::nanoseconds period) {
  Fd timer(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  if (!timer) throw_errno("cannot make a timer");
  // An all-zero first expiry would disarm the timer, so "now" is one nanosecond away.
  const itimerspec when{.it_interval = to_timespec(period),
                        .it_value = to_timespec(std::max(delay, std::chrono::nanoseconds(1)))};
  if (::timerfd_settime(timer.get(), 0, &when, nullptr) != 0) throw_errno("cannot arm a timer");
  const TimerId id = timer.get();
  const bool repeats = period.count() != 0;
  add(id, EPOLLIN, [this, id, repeats, callback = std::move(callback)](std::uint32_t) {
    drain_eventfd(id);  // a timerfd reads like an eventfd: one 64-bit count
    const auto call = callback;
    if (!repeats) cancel_timer(id);
    call();
  });
  timers_[id] = std::move(timer);
  return id;
}

void EventLoop::cancel_timer(TimerId timer) {
  if (!timers_.contains(timer)) return;
  remove(timer);
  timers_.erase(timer);
}

void EventLoop::run() {
  stopped_ = false;
  while (!stopped_) dispatch(-1);
}

bool EventLoop::run_once(std::chrono::milliseconds timeout) {
  return dispatch(static_cast<int>(timeout.count()));
}

// What these defer in turn waits for the next round, so that descriptors get theirs.
bool EventLoop::dispatch_deferred() {
  const bool any = !deferred_.empty();
  for (auto left = deferred_.size(); left > 0; --left) {
    const auto callback = std::move(deferred_.front());
    deferred_.pop_front();
    callback();
    if (stopped_) break;
  }
  return any;
}

bool EventLoop::dispatch(int timeout_ms) {
  const bool any = dispatch_deferred();
  if (any && stopped_) return true;
  if (any) timeout_ms = 0;
  std::array<epoll_event, 16> events{};
  const int count = ::epoll_wait(epoll_.get(), events.data(), events.size(), timeout_ms);
  if (count < 0) {
    if (errno == EINTR) return any;
    throw_errno("cannot wait for events");
  }
  for (const auto& event : std::span(events).first(static_cast<std::size_t>(count))) {
    // An earlier callback of this round may have removed this one; a shared copy keeps a callback
    // alive that removes itself.
    const auto found = callbacks_.find(event.data.fd);
    if (found == callbacks_.end()) continue;
    const auto callback = found->second;
    (*callback)(event.events);
    if (stopped_) break;
  }
  return any || count > 0;
}

}  // namespace twinbox::base
