// A single-threaded event loop on epoll: descriptors and timers, each with a callback.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <unordered_map>
#include <utility>

#include "base/fd.hpp"

namespace twinbox::base {

class EventLoop {
 public:
  // Receives the epoll event bits (EPOLLIN, EPOLLOUT, EPOLLHUP, ...).
  using Callback = std::function<void(std::uint32_t events)>;
  using TimerId = int;

  EventLoop();

  // Watches a borrowed descriptor for `events`; it must be removed before it is closed.
  void add(int fd, std::uint32_t events, Callback callback);
  // False for what is always ready and cannot be watched: regular files, devices like /dev/null.
  bool add_if_pollable(int fd, std::uint32_t events, Callback callback);
  void modify(int fd, std::uint32_t events);
  void remove(int fd);
  bool watches(int fd) const { return callbacks_.contains(fd); }

  // Calls back from the top of the loop, where the caller's state may be destroyed.
  void defer(std::function<void()> callback) { deferred_.push_back(std::move(callback)); }
  // Calls back once after `delay`, or again and again with `period`.
  TimerId add_timer(std::chrono::nanoseconds delay, std::function<void()> callback,
                    std::chrono::nanoseconds period = {});
  void cancel_timer(TimerId timer);

  // Dispatches until stop(); may be run again afterwards.
  void run();
  // Dispatches what is ready within `timeout`; false when nothing was.
  bool run_once(std::chrono::milliseconds timeout);
  // From a callback of this loop only.
  void stop() { stopped_ = true; }

 private:
  bool dispatch(int timeout_ms);
  bool dispatch_deferred();

  Fd epoll_;
  std::unordered_map<int, std::shared_ptr<Callback>> callbacks_;
  std::unordered_map<TimerId, Fd> timers_;
  std::deque<std::function<void()>> deferred_;
  bool stopped_ = false;
};

}  // namespace twinbox::base
