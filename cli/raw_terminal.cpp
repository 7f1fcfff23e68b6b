#include "cli/raw_terminal.hpp"

#include <unistd.h>

namespace twinbox::cli {

RawTerminal::RawTerminal(int fd) : fd_(fd) {
  termios settings{};
  if (::isatty(fd) == 0 || ::tcgetattr(fd, &settings) != 0) return;
  saved_ = settings;
  ::cfmakeraw(&settings);
  settings.c_oflag |= OPOST;  // our own messages still end their lines
  ::tcsetattr(fd, TCSANOW, &settings);
}

RawTerminal::~RawTerminal() {
  if (saved_) ::tcsetattr(fd_, TCSAFLUSH, &*saved_);
}

}  // namespace twinbox::cli
