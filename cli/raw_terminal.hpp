// The caller's terminal: its size, and its raw mode for a guest's console or a box's terminal.
#pragma once

#include <termios.h>

#include <optional>

#include "sandbox/spec.hpp"

namespace twinbox::cli {

// While it lives, every key goes through unchanged. Does nothing where `fd` is no terminal.
class RawTerminal {
 public:
  enum class Output {
    lines,  // our own messages still end their lines
    raw,    // what is shown has been prepared by another terminal
  };

  explicit RawTerminal(int fd, Output output = Output::lines);
  RawTerminal(const RawTerminal&) = delete;
  RawTerminal& operator=(const RawTerminal&) = delete;
  ~RawTerminal();

  bool active() const { return saved_.has_value(); }

 private:
  int fd_;
  std::optional<termios> saved_;
};

// Of the terminal behind stdout, else stdin; not known where neither is one.
sandbox::TerminalSize terminal_size();

}  // namespace twinbox::cli
