// A program of a few hundred bytes that stands between the runtime and the workload.
//
// execve() resolves its target, a script's interpreter and an ELF interpreter while the calling
// program is still /proc/self/exe. An image whose command, or whose command's interpreter, is
// /proc/self/exe would so get the runtime's own binary as a running program, and from it a handle
// to overwrite it on the host (CVE-2019-5736). That a process is not dumpable does not help: it may
// always look at itself. Hence the runtime first executes this stub from a sealed memory file, and
// the stub executes the workload: all that can be reached is the stub.
//
// Arguments: the path to execute, then the workload's own arguments. The environment is the
// workload's. Descriptor report_descriptor is the pipe to the parent. No library is linked, hence
// the bare system calls.

#include <asm/unistd_64.h>

#include "container/report_abi.hpp"

namespace {

namespace abi = twinbox::container::report_abi;

constexpr long set_descriptor_flags = 2;  // F_SETFD
constexpr long close_on_exec = 1;         // FD_CLOEXEC

long system_call(long number, long first, long second, long third) {
  long result = number;
  asm volatile("syscall"
               : "+a"(result)
               : "D"(first), "S"(second), "d"(third)
               : "rcx", "r11", "memory");
  return result;
}

bool report(abi::Type type, std::uint64_t value) {
  abi::Header header{type, 0, 0, 0, 0, 0, 0, value};
  return system_call(__NR_write, abi::report_descriptor, reinterpret_cast<long>(&header),
                     sizeof header) == sizeof header;
}

[[noreturn]] void give_up() {
  for (;;) system_call(__NR_exit_group, 127, 0, 0);
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
  const long error =
      system_call(__NR_execve, reinterpret_cast<long>(arguments[0]),
                  reinterpret_cast<long>(arguments + 1), reinterpret_cast<long>(environment));
  report(abi::exec_failed, static_cast<std::uint64_t>(-error));
  give_up();
}

asm(R"(
.globl _start
_start:
  xor %ebp, %ebp
  mov %rsp, %rdi
  and $-16, %rsp
  call stub_main
)");
