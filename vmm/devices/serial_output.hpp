// The bytes on their way from a serial port to a host descriptor: taken from vCPUs, written by the
// event loop.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "base/event_loop.hpp"
#include "base/fd.hpp"

namespace twinbox::vmm {

// Neither a vCPU nor the loop ever waits for the descriptor's reader.
class SerialOutput {
 public:
  // Above this many waiting bytes the guest is told to wait; above twice as many they are dropped.
  static constexpr std::size_t enough = std::size_t{64} * 1024;
  // Bytes are gathered for this long, so that a line is one write and not eighty.
  static constexpr std::chrono::milliseconds gathering{1};

  // The descriptor is borrowed for the length of this call only. `on_room` is called in the loop's
  // thread after put() has returned false.
  SerialOutput(base::EventLoop& loop, int descriptor, std::function<void()> on_room);
  SerialOutput(const SerialOutput&) = delete;
  SerialOutput& operator=(const SerialOutput&) = delete;
  ~SerialOutput();

  // From any thread. False when it has enough for now.
  bool put(std::byte value);
  // In the loop's thread: writes what waits, for at most `limit`.
  void flush(std::chrono::milliseconds limit);

 private:
  // How to write without waiting, by the kind of file behind the descriptor.
  enum class Kind { nonblocking, socket, needs_poll };

  void open(int descriptor);
  bool write_waiting();
  std::optional<std::size_t> write_now(std::span<const std::byte> bytes);
  void watch_writable();

  base::EventLoop& loop_;
  std::function<void()> on_room_;
  base::Fd output_;
  Kind kind_ = Kind::nonblocking;
  base::Fd timer_;
  std::vector<std::byte> writing_;  // of the loop's thread alone
  std::size_t written_ = 0;         // of it

  std::mutex mutex_;  // guards what follows; innermost
  std::vector<std::byte> waiting_;
  bool timer_armed_ = false;
  bool held_back_ = false;  // put() has returned false
};

}  // namespace twinbox::vmm
