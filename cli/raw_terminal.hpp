// Puts a terminal into raw mode for a guest's console, and back.
#pragma once

#include <termios.h>

#include <optional>

namespace twinbox::cli {

// While it lives, every key goes through unchanged. Does nothing where `fd` is no terminal.
class RawTerminal {
 public:
  explicit RawTerminal(int fd);
  RawTerminal(const RawTerminal&) = delete;
  RawTerminal& operator=(const RawTerminal&) = delete;
  ~RawTerminal();

  bool active() const { return saved_.has_value(); }

 private:
  int fd_;
  std::optional<termios> saved_;
};

}  // namespace twinbox::cli
