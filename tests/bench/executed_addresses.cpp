// Prints each address that a program executes, in the order of their first execution: it runs a
// command and steps it, and all that it forks, for as long as they are that program. See
// scripts/order-functions.
//
//   executed_addresses OUT PROGRAM COMMAND [ARGUMENTS...]
#include <fmt/format.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <unordered_set>
#include <vector>

#include "base/error.hpp"

namespace {

using twinbox::base::throw_errno;
namespace fs = std::filesystem;

class Stepper {
 public:
  Stepper(fs::path program, std::FILE* out) : program_(std::move(program)), out_(out) {}

  // The status of the first process.
  int run(char** command) {
    const pid_t first = ::fork();
    if (first < 0) throw_errno("cannot fork");
    if (first == 0) {
      ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
      ::execv(command[0], command);
      ::_exit(127);
    }
    int result = 0;
    int status = 0;
    for (pid_t pid = 0; (pid = ::waitpid(-1, &status, __WALL)) > 0;) {
      if (WIFSTOPPED(status)) {
        take_stop(pid, status);
      } else if (pid == first) {
        result = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
      }
    }
    return result;
  }

 private:
  void take_stop(pid_t pid, int status) {
    const int signal = WSTOPSIG(status);
    const int event = status >> 16;
    if (known_.insert(pid).second) {
      ::ptrace(PTRACE_SETOPTIONS, pid, nullptr,
               PTRACE_O_EXITKILL | PTRACE_O_TRACEEXEC | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
                   PTRACE_O_TRACECLONE);
      return step(pid, 0);  // the stop that a process begins with
    }
    if (event == PTRACE_EVENT_EXEC && !runs_program(pid)) {
      ::ptrace(PTRACE_DETACH, pid, nullptr, nullptr);
      known_.erase(pid);
      return;
    }
    if (event == 0 && signal == SIGTRAP) note_address(pid);
    step(pid, event != 0 || signal == SIGTRAP ? 0 : signal);
  }

  bool runs_program(pid_t pid) const {
    std::error_code error;
    return fs::read_symlink(fmt::format("/proc/{}/exe", pid), error) == program_;
  }

  void note_address(pid_t pid) {
    errno = 0;
    const auto address = static_cast<unsigned long>(
        ::ptrace(PTRACE_PEEKUSER, pid, offsetof(user_regs_struct, rip), nullptr));
    if (errno == 0 && seen_.insert(address).second) fmt::print(out_, "{:x}\n", address);
  }

  // A process that was killed meanwhile tells so by its next status.
  static void step(pid_t pid, int signal) {
    ::ptrace(PTRACE_SINGLESTEP, pid, nullptr, static_cast<long>(signal));
  }

  fs::path program_;
  std::FILE* out_;
  std::unordered_set<pid_t> known_;
  std::unordered_set<unsigned long> seen_;
};

}  // namespace

int main(int count, char** values) {
  if (count < 4) {
    fmt::print(stderr, "usage: executed_addresses OUT PROGRAM COMMAND [ARGUMENTS...]\n");
    return 2;
  }
  try {
    std::FILE* const out = std::fopen(values[1], "w");
    if (out == nullptr) throw_errno("cannot write {}", values[1]);
    std::setvbuf(out, nullptr, _IOLBF, BUFSIZ);  // a run that is cut short has told all until then
    const int status = Stepper(fs::canonical(values[2]), out).run(values + 3);
    if (std::fclose(out) != 0) throw_errno("cannot write {}", values[1]);
    return status;
  } catch (const std::exception& error) {
    fmt::print(stderr, "executed_addresses: {}\n", error.what());
    return 1;
  }
}
