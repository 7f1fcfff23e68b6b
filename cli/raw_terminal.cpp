#include "cli/raw_terminal.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

namespace twinbox::cli {

RawTerminal::RawTerminal(int fd, Output output) : fd_(fd) {
  termios settings{};
  if (::isatty(fd) == 0 || ::tcgetattr(fd, &settings) != 0) return;
  saved_ = settings;
  ::cfmakeraw(&settings);
  if (output == Output::lines) settings.c_oflag |= OPOST;
  ::tcsetattr(fd, TCSANOW, &settings);
}

RawTerminal::~RawTerminal() {
  // Not TCSAFLUSH: what was typed ahead is for whoever reads next, and a terminal whose other side
  // does not read would hold us up.
  if (saved_) ::tcsetattr(fd_, TCSANOW, &*saved_);
}

sandbox::TerminalSize terminal_size() {
  for (const int fd : {STDOUT_FILENO, STDIN_FILENO}) {
    winsize size{};
    if (::ioctl(fd, TIOCGWINSZ, &size) == 0) return {size.ws_col, size.ws_row};
  }
  return {};
}

}  // namespace twinbox::cli
