// What is typed into a terminal, on its way into a box; the detach keys are taken out.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/event_loop.hpp"
#include "base/fd.hpp"
#include "cli/detach_keys.hpp"

namespace twinbox::cli {

class TypedInput {
 public:
  // Reads the terminal `fd` from the loop until its end or the keys, then calls `on_detach`.
  TypedInput(base::EventLoop& loop, int fd, std::string detach_keys,
             std::function<void()> on_detach);
  TypedInput(const TypedInput&) = delete;
  TypedInput& operator=(const TypedInput&) = delete;
  ~TypedInput() { stop(); }

  // Where to read what the box gets.
  int output() const { return output_.get(); }

 private:
  void read();
  void write();
  void stop();
  void detach_when_read();
  bool all_is_read() const;
  void watch(int fd, std::uint32_t events, void (TypedInput::*callback)());
  void unwatch(int fd);

  base::EventLoop& loop_;
  int fd_;
  DetachFilter filter_;
  std::function<void()> on_detach_;
  base::Fd output_;
  base::Fd pipe_;
  std::optional<base::EventLoop::TimerId> timer_;
  int checks_left_ = 0;
  std::string pending_;  // what the pipe does not take yet; nothing is read meanwhile
};

}  // namespace twinbox::cli
