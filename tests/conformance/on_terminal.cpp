// Runs a command on a new terminal, as a person at a keyboard would. Usage:
//
//   on_terminal ROWS COLUMNS COMMAND... <STEPS
//
// A step is a line: "expect TEXT" waits until TEXT was printed after what was expected before,
// "send TEXT" types it (\r, \\ and \xNN are read), "resize ROWS COLUMNS", "sleep SECONDS". Then the
// command has to end. Exits with its status; 99 when a step never came true; 98 when it leaves the
// terminal's settings changed. What was printed goes to stderr then, or to stdout with --show as
// the first word.
#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utmp.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "base/fd.hpp"
#include "base/syscall.hpp"

namespace {

using std::chrono::steady_clock;

constexpr auto patience = std::chrono::seconds(100);

winsize size_of(std::istream& words) {
  winsize size{};
  words >> size.ws_row >> size.ws_col;
  return size;
}

std::string unescape(const std::string& text) {
  std::string result;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '\\' || at + 1 == text.size()) {
      result += text[at];
      continue;
    }
    const char kind = text[++at];
    if (kind == 'x') {
      result += static_cast<char>(std::stoi(text.substr(at + 1, 2), nullptr, 16));
      at += 2;
    } else {
      result += kind == 'r' ? '\r' : kind;
    }
  }
  return result;
}

class Terminal {
 public:
  Terminal(winsize size, char** command) {
    int master = -1;
    int slave = -1;
    if (::openpty(&master, &slave, nullptr, nullptr, &size) != 0) std::exit(97);
    master_ = twinbox::base::Fd(master);
    slave_ = twinbox::base::Fd(slave);
    ::tcgetattr(slave, &before_);
    pid_ = ::fork();
    if (pid_ != 0) return;
    ::close(master);
    ::login_tty(slave);
    ::execvp(command[0], command);
    ::_exit(127);
  }

  bool expect(const std::string& text) {
    return read_until([&] {
      const auto found = printed_.find(text, seen_);
      if (found != std::string::npos) seen_ = found + text.size();
      return found != std::string::npos;
    });
  }
  void send(const std::string& text) const { twinbox::base::write_all(master_.get(), text); }
  void resize(winsize size) const { ::ioctl(master_.get(), TIOCSWINSZ, &size); }

  // Its status, or nothing when it does not end.
  bool ended(int& status) {
    return read_until([&] {
      int raw = 0;
      if (::waitpid(pid_, &raw, WNOHANG) != pid_) return false;
      status = twinbox::base::shell_status(raw);
      while (read_some(0)) {
      }
      return true;
    });
  }
  bool is_restored() const {
    termios after{};
    ::tcgetattr(slave_.get(), &after);
    return after.c_lflag == before_.c_lflag && after.c_iflag == before_.c_iflag &&
           after.c_oflag == before_.c_oflag;
  }
  void give_up() const { ::kill(pid_, SIGKILL); }
  const std::string& printed() const { return printed_; }

 private:
  template <typename Condition>
  bool read_until(Condition condition) {
    const auto end = steady_clock::now() + patience;
    while (!condition()) {
      if (steady_clock::now() > end) return false;
      read_some(20);
    }
    return true;
  }
  bool read_some(int milliseconds) {
    pollfd watched{.fd = master_.get(), .events = POLLIN, .revents = 0};
    if (::poll(&watched, 1, milliseconds) <= 0) return false;
    std::array<char, 65536> buffer{};
    const auto count = ::read(master_.get(), buffer.data(), buffer.size());
    if (count > 0) printed_.append(buffer.data(), static_cast<std::size_t>(count));
    return count > 0;
  }

  twinbox::base::Fd master_;
  twinbox::base::Fd slave_;  // held open, so that the terminal outlives the command
  termios before_{};
  pid_t pid_ = -1;
  std::string printed_;
  std::size_t seen_ = 0;
};

bool take(const std::string& step, Terminal& terminal) {
  const auto blank = step.find(' ');
  const auto word = step.substr(0, blank);
  const auto rest = blank == std::string::npos ? std::string() : step.substr(blank + 1);
  std::istringstream words(rest);
  if (word == "expect") return terminal.expect(rest);
  if (word == "send") terminal.send(unescape(rest));
  if (word == "resize") terminal.resize(size_of(words));
  if (word == "sleep") std::this_thread::sleep_for(std::chrono::duration<double>(std::stod(rest)));
  return true;
}

int follow(Terminal& terminal) {
  for (std::string step; std::getline(std::cin, step);) {
    if (take(step, terminal)) continue;
    terminal.give_up();
    std::cerr << "on_terminal: never came: " << step << "\n" << terminal.printed();
    return 99;
  }
  int status = 0;
  if (!terminal.ended(status)) {
    terminal.give_up();
    std::cerr << "on_terminal: the command does not end\n" << terminal.printed();
    return 99;
  }
  if (terminal.is_restored()) return status;
  std::cerr << "on_terminal: the terminal was not restored\n";
  return 98;
}

}  // namespace

int main(int count, char** words) {
  const bool show = count > 1 && std::strcmp(words[1], "--show") == 0;
  if (show) ++words, --count;
  if (count < 4) return 97;
  std::istringstream size(std::string(words[1]) + " " + words[2]);
  Terminal terminal(size_of(size), words + 3);
  const int status = follow(terminal);
  if (show) std::cout << terminal.printed();
  return status;
}
