#include "tests/lab/lab_run.hpp"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <sstream>
#include <stdexcept>

#include "base/error.hpp"
#include "base/syscall.hpp"

namespace twinbox::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// Emulation on a busy host is slow; only something that hangs takes this long.
constexpr auto deadline = std::chrono::minutes(5);

base::Fd memory_file(const char* name) {
  base::Fd file(::memfd_create(name, MFD_CLOEXEC));
  if (!file) base::throw_errno("cannot make a file in memory");
  return file;
}

std::string contents(int fd) {
  struct stat info {};
  if (::fstat(fd, &info) != 0) base::throw_errno("cannot look at a file in memory");
  std::string text(static_cast<std::size_t>(info.st_size), '\0');
  base::pread_exact(fd, std::as_writable_bytes(std::span(text)), 0);
  return text;
}

}  // namespace

Running::Running(std::vector<std::string> args, std::string_view input,
                 const std::vector<std::string>& env)
    : out_(memory_file("stdout")), err_(memory_file("stderr")) {
  if (args.front() == "twinbox") args.front() = TWINBOX_PROGRAM;
  const base::Fd in = memory_file("stdin");
  base::write_all(in.get(), input);
  ::lseek(in.get(), 0, SEEK_SET);
  std::vector<char*> argv;
  for (auto& argument : args) argv.push_back(argument.data());
  argv.push_back(nullptr);
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ < 0) base::throw_errno("cannot fork");
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(1);
    ::dup2(in.get(), STDIN_FILENO);
    ::dup2(out_.get(), STDOUT_FILENO);
    ::dup2(err_.get(), STDERR_FILENO);
    for (const auto& variable : env) ::putenv(const_cast<char*>(variable.c_str()));
    ::execvp(argv[0], argv.data());
    ::_exit(127);
  }
  pidfd_ = base::open_pidfd(pid_);
}

Running::~Running() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

void Running::signal(int number) const {
  ::syscall(SYS_pidfd_send_signal, pidfd_.get(), number, nullptr, 0U);
}

bool Running::ended_within(milliseconds time) {
  pollfd waited{.fd = pidfd_.get(), .events = POLLIN, .revents = 0};
  const int result = ::poll(&waited, 1, static_cast<int>(time.count()));
  if (result < 0 && errno != EINTR) base::throw_errno("cannot poll");
  return result > 0;
}

bool Running::wait_for_output(std::string_view text) {
  const auto end = steady_clock::now() + deadline;
  while (steady_clock::now() < end) {
    const bool ended = ended_within(milliseconds(20));
    if (contents(out_.get()).find(text) != std::string::npos) return true;
    if (ended) return false;
  }
  throw std::runtime_error("nothing came within the deadline; stderr: " + contents(err_.get()));
}

RunResult Running::wait() {
  const auto end = steady_clock::now() + deadline;
  while (!ended_within(milliseconds(1000))) {
    if (steady_clock::now() > end) {
      throw std::runtime_error("the program has not ended within the deadline; stdout: " +
                               contents(out_.get()) + "\nstderr: " + contents(err_.get()));
    }
  }
  const int status = base::shell_status(base::wait_for(pid_));
  pid_ = -1;
  return {status, contents(out_.get()), contents(err_.get())};
}

RunResult run(std::vector<std::string> args, std::string_view input,
              const std::vector<std::string>& env) {
  return Running(std::move(args), input, env).wait();
}

RunResult in_lab(std::vector<std::string> args, std::string_view input) {
  args.insert(args.begin(), {"twinbox", "lab", "exec", "--"});
  return run(std::move(args), input);
}

RunResult script_in_lab(const std::string& script, std::string_view input) {
  return in_lab({"sh", "-c", script}, input);
}

void expect_comparison_tests_pass_in_lab(const std::string& filter, int count) {
  const auto result = script_in_lab(
      "TWINBOX_TEST_IN_PLACE=1 exec " COMPARE_TEST_PROGRAM " --gtest_filter='" + filter + "' 2>&1");
  EXPECT_EQ(result.status, 0) << result.out;
  const auto passed = "[  PASSED  ] " + std::to_string(count) + " test";
  EXPECT_NE(result.out.find(passed), std::string::npos) << result.out;
  EXPECT_EQ(result.out.find("[  SKIPPED ]"), std::string::npos) << result.out;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

}  // namespace twinbox::test
