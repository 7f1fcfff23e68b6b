// The bytes on their way from a host descriptor to a serial port, no faster than the guest takes
// them.
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <span>

#include "base/event_loop.hpp"
#include "base/fd.hpp"

namespace twinbox::vmm {

class SerialInput {
 public:
  // Gives bytes to the port; returns how many it took.
  using Deliver = std::function<std::size_t(std::span<const std::byte>)>;

  // The descriptor is borrowed for the length of this call only.
  SerialInput(base::EventLoop& loop, int descriptor, Deliver deliver);
  SerialInput(const SerialInput&) = delete;
  SerialInput& operator=(const SerialInput&) = delete;
  ~SerialInput();

  // The port has room again after it took less than it was given. From any thread.
  void wake();

 private:
  void pump();
  bool read_more();
  void watch(bool on);

  base::EventLoop& loop_;
  Deliver deliver_;
  base::Fd input_;
  base::Fd wake_;
  bool pollable_ = true;  // a regular file is always ready, and epoll refuses it
  bool ended_ = false;
  std::array<std::byte, 256> buffer_{};
  std::span<const std::byte> rest_;  // of it, not yet taken by the port
};

}  // namespace twinbox::vmm
