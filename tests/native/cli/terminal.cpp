#include "tests/native/cli/terminal.hpp"

#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utmp.h>

#include <array>
#include <csignal>

#include "base/error.hpp"
#include "base/syscall.hpp"

namespace twinbox::testing {
namespace {

// Far beyond what anything here takes, also on a busy machine.
constexpr std::uint64_t patience_ns = 60'000'000'000;

[[noreturn]] void become(const std::string& program, const std::vector<std::string>& args,
                         const std::vector<std::string>& variables, int slave) {
  ::login_tty(slave);
  for (const auto& variable : variables) ::putenv(const_cast<char*>(variable.c_str()));
  std::vector<char*> words{const_cast<char*>(program.c_str())};
  for (const auto& word : args) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  ::execv(program.c_str(), words.data());
  ::_exit(127);
}

}  // namespace

Terminal::Terminal(const std::string& program, const std::vector<std::string>& args,
                   const std::vector<std::string>& variables, sandbox::TerminalSize size) {
  int master = -1;
  int slave = -1;
  if (::openpty(&master, &slave, nullptr, nullptr, nullptr) != 0) {
    base::throw_errno("cannot make a terminal");
  }
  master_ = base::Fd(master);
  slave_ = base::Fd(slave);
  base::set_cloexec(master, true);
  base::set_cloexec(slave, true);
  base::set_nonblocking(master, true);
  resize(size);
  pid_ = ::fork();
  if (pid_ == 0) become(program, args, variables, slave);
}

Terminal::~Terminal() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

void Terminal::type(const std::string& keys) { base::write_all(master_.get(), keys); }

void Terminal::resize(sandbox::TerminalSize size) {
  const winsize wanted{.ws_row = size.rows, .ws_col = size.columns, .ws_xpixel = 0, .ws_ypixel = 0};
  ::ioctl(master_.get(), TIOCSWINSZ, &wanted);
}

void Terminal::signal(int number) const { ::kill(pid_, number); }

void Terminal::wait_for(const std::string& text) {
  const auto deadline = base::monotonic_now() + patience_ns;
  std::size_t found = std::string::npos;
  while ((found = shown_.find(text, seen_)) == std::string::npos) {
    if (base::monotonic_now() > deadline) {
      throw base::Error(base::ErrorKind::conflict,
                        "the terminal never showed '" + text + "' but: " + shown_);
    }
    read_more();
  }
  seen_ = found + text.size();
}

int Terminal::finish() {
  int status = 0;
  const auto deadline = base::monotonic_now() + patience_ns;
  while (::waitpid(pid_, &status, WNOHANG) == 0) {
    if (base::monotonic_now() > deadline) {
      throw base::Error(base::ErrorKind::conflict, "the command does not end; shown: " + shown_);
    }
    read_more();
  }
  pid_ = -1;
  while (read_more()) continue;
  return base::shell_status(status);
}

bool Terminal::is_raw() const {
  termios settings{};
  ::tcgetattr(slave_.get(), &settings);
  return (settings.c_lflag & (ICANON | ECHO | ISIG)) == 0;
}

bool Terminal::read_more() {
  pollfd watched{.fd = master_.get(), .events = POLLIN, .revents = 0};
  ::poll(&watched, 1, 20);
  std::array<std::byte, 4096> buffer{};
  const auto count = base::read_some(master_.get(), buffer).value_or(0);
  shown_.append(reinterpret_cast<const char*>(buffer.data()), count);
  return count > 0;
}

}  // namespace twinbox::testing
