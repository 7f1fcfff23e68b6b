// A program of a few hundred bytes that stands between the runtime and the workload.
//
// execve() resolves its target, a script's interpreter and an ELF interpreter while the calling
// program is still /proc/self/exe. An image whose command, or whose command's interpreter, is
// /proc/self/exe would so get the runtime's own binary as a running program, and from it a handle
// to overwrite it on the host (CVE-2019-5736). That a process is not dumpable does not help: it may
// always look at itself. Hence the runtime first executes this stub from a sealed memory file, and
// the stub executes the workload: all that can be reached is the stub.
//
// With `init` it stays as process 1: it runs the workload as its child, passes signals on and reaps
// orphans, and ends as the workload ended.
//
// Arguments: "exec" or "init", the path to execute, then the workload's own arguments. The
// environment is the workload's. Descriptor report_descriptor is the pipe to the parent. No library
// is linked, hence the bare system calls.

#include <asm/unistd_64.h>

#include "container/report_abi.hpp"

namespace {

namespace abi = twinbox::container::report_abi;

constexpr long set_descriptor_flags = 2;  // F_SETFD
constexpr long close_on_exec = 1;         // FD_CLOEXEC

// asm/signal.h and linux/wait.h mean to be included by a kernel.
constexpr int signal_child = 17;
constexpr int signal_terminal_stop = 20;    // SIGTSTP, then SIGTTIN and SIGTTOU
constexpr int signal_terminal_output = 22;  // SIGTTOU
constexpr long set_mask = 2;                // SIG_SETMASK
constexpr long without_waiting = 1;         // WNOHANG
constexpr long set_foreground = 0x5410;     // TIOCSPGRP

long system_call(long number, long first, long second, long third, long fourth = 0) {
  long result = number;
  register long r10 asm("r10") = fourth;
  asm volatile("syscall"
               : "+a"(result)
               : "D"(first), "S"(second), "d"(third), "r"(r10)
               : "rcx", "r11", "memory");
  return result;
}

bool report(abi::Type type, std::uint64_t value) {
  abi::Header header{type, 0, 0, 0, 0, 0, 0, value, 0};
  return system_call(__NR_write, abi::report_descriptor, reinterpret_cast<long>(&header),
                     sizeof header) == sizeof header;
}

[[noreturn]] void give_up() {
  for (;;) system_call(__NR_exit_group, 127, 0, 0);
}

void set_signal_mask(std::uint64_t mask) {
  system_call(__NR_rt_sigprocmask, set_mask, reinterpret_cast<long>(&mask), 0, sizeof mask);
}

[[noreturn]] void execute(char** arguments, char** environment) {
  const long error =
      system_call(__NR_execve, reinterpret_cast<long>(arguments[0]),
                  reinterpret_cast<long>(arguments + 1), reinterpret_cast<long>(environment));
  report(abi::exec_failed, static_cast<std::uint64_t>(-error));
  give_up();
}

// Ends when the workload has.
void reap(long workload) {
  for (;;) {
    int status = 0;
    const long ended =
        system_call(__NR_wait4, -1, reinterpret_cast<long>(&status), without_waiting);
    if (ended <= 0) return;
    if (ended != workload) continue;
    const int signal = status & 0x7f;
    for (;;) system_call(__NR_exit_group, signal != 0 ? 128 + signal : status >> 8 & 0xff, 0, 0);
  }
}

// A process group of its own, in the terminal's foreground, so that what is typed there reaches the
// workload once. All signals are blocked as yet, or it would be stopped for that.
void take_foreground() {
  system_call(__NR_setpgid, 0, 0, 0);
  int group = static_cast<int>(system_call(__NR_getpid, 0, 0, 0));
  system_call(__NR_ioctl, 0, set_foreground, reinterpret_cast<long>(&group));
}

[[noreturn]] void be_init(char** arguments, char** environment) {
  std::uint64_t all = ~std::uint64_t{0};
  set_signal_mask(all);
  const long workload = system_call(__NR_fork, 0, 0, 0);
  if (workload == 0) {
    take_foreground();
    set_signal_mask(0);
    execute(arguments, environment);
  }
  if (workload < 0) {
    report(abi::exec_failed, static_cast<std::uint64_t>(-workload));
    give_up();
  }
  // Whoever reads from the workload is to see when it closes its streams.
  for (long descriptor = 0; descriptor <= abi::report_descriptor; ++descriptor) {
    system_call(__NR_close, descriptor, 0, 0);
  }
  for (;;) {
    const long signal =
        system_call(__NR_rt_sigtimedwait, reinterpret_cast<long>(&all), 0, 0, sizeof all);
    if (signal == signal_child) {
      reap(workload);
    } else if (signal > 0 && (signal < signal_terminal_stop || signal > signal_terminal_output)) {
      system_call(__NR_kill, workload, signal, 0);
    }
  }
}

}  // namespace

// `stack` is as the kernel leaves it: argc, argv, null, environment, null.
extern "C" [[noreturn]] void stub_main(long* stack) {
  const long argument_count = stack[0];
  char** const arguments = reinterpret_cast<char**>(stack + 1);
  char** const environment = arguments + argument_count + 1;
  system_call(__NR_fcntl, abi::report_descriptor, set_descriptor_flags, close_on_exec);
  // Without a pipe it was the workload, by /proc/self/exe, that executed it.
  if (!report(abi::executing, 0)) give_up();
  if (arguments[0][0] == 'i') be_init(arguments + 1, environment);
  execute(arguments + 1, environment);
}

asm(R"(
.globl _start
_start:
  xor %ebp, %ebp
  mov %rsp, %rdi
  and $-16, %rsp
  call stub_main
)");
