// An owned file descriptor: move-only, closed once, never retried on EINTR.
#pragma once

#include <utility>

namespace twinbox::base {

// Owns a descriptor. A raw int elsewhere in the project only borrows one.
//
//   Fd log = open_file("log", O_WRONLY);
//   write_all(log.get(), bytes);
class Fd {
 public:
  Fd() = default;
  explicit Fd(int value) : value_(value) {}
  Fd(Fd&& other) noexcept : value_(other.release()) {}
  Fd& operator=(Fd&& other) noexcept;
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() { reset(); }

  int get() const { return value_; }
  explicit operator bool() const { return value_ >= 0; }
  int release() { return std::exchange(value_, -1); }
  void reset();

 private:
  int value_ = -1;
};

}  // namespace twinbox::base
