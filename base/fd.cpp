#include "base/fd.hpp"

#include <unistd.h>

namespace twinbox::base {

Fd& Fd::operator=(Fd&& other) noexcept {
  if (this != &other) {
    reset();
    value_ = other.release();
  }
  return *this;
}

void Fd::reset() {
  // Linux closes the descriptor even when close() reports EINTR: a second close could hit a
  // stranger.
  if (value_ >= 0) ::close(std::exchange(value_, -1));
}

}  // namespace twinbox::base
