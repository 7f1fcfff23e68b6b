#include "container/seccomp_profile.hpp"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/syscall.hpp"
#include "container/seccomp_search.hpp"

namespace twinbox::container {
namespace {

constexpr int never = -1;

struct Denial {
  std::string_view call;
  int unlocked_by = never;  // a capability that lifts it
};

// clang-format off
constexpr std::array denials{
    // The kernel itself: modules, another kernel, its memory, its log, its clock and its swap.
    Denial{"init_module", CAP_SYS_MODULE}, Denial{"finit_module", CAP_SYS_MODULE},
    Denial{"delete_module", CAP_SYS_MODULE}, Denial{"create_module"}, Denial{"query_module"},
    Denial{"get_kernel_syms"}, Denial{"kexec_load", CAP_SYS_BOOT},
    Denial{"kexec_file_load", CAP_SYS_BOOT}, Denial{"reboot", CAP_SYS_BOOT},
    Denial{"iopl", CAP_SYS_RAWIO}, Denial{"ioperm", CAP_SYS_RAWIO}, Denial{"syslog", CAP_SYSLOG},
    Denial{"settimeofday", CAP_SYS_TIME}, Denial{"clock_settime", CAP_SYS_TIME},
    Denial{"clock_settime64", CAP_SYS_TIME}, Denial{"stime", CAP_SYS_TIME}, Denial{"swapon"},
    Denial{"swapoff"}, Denial{"acct", CAP_SYS_PACCT}, Denial{"quotactl", CAP_SYS_ADMIN},
    Denial{"quotactl_fd", CAP_SYS_ADMIN}, Denial{"nfsservctl"}, Denial{"sysfs"}, Denial{"_sysctl"},
    Denial{"uselib"}, Denial{"ustat"}, Denial{"vm86"}, Denial{"vm86old"}, Denial{"afs_syscall"},
    Denial{"vhangup", CAP_SYS_TTY_CONFIG}, Denial{"lookup_dcookie", CAP_SYS_ADMIN},
    // Mounts and namespaces: what the box is made of.
    Denial{"mount", CAP_SYS_ADMIN}, Denial{"umount", CAP_SYS_ADMIN},
    Denial{"umount2", CAP_SYS_ADMIN}, Denial{"move_mount", CAP_SYS_ADMIN},
    Denial{"open_tree", CAP_SYS_ADMIN}, Denial{"mount_setattr", CAP_SYS_ADMIN},
    Denial{"fsopen", CAP_SYS_ADMIN}, Denial{"fsconfig", CAP_SYS_ADMIN},
    Denial{"fsmount", CAP_SYS_ADMIN}, Denial{"fspick", CAP_SYS_ADMIN}, Denial{"pivot_root"},
    Denial{"setns", CAP_SYS_ADMIN}, Denial{"unshare", CAP_SYS_ADMIN},
    Denial{"sethostname", CAP_SYS_ADMIN}, Denial{"setdomainname", CAP_SYS_ADMIN},
    // Files by handle reach outside of the root (CVE-2014-9357's relatives).
    Denial{"open_by_handle_at", CAP_DAC_READ_SEARCH},
    Denial{"fanotify_init", CAP_SYS_ADMIN},
    // Keys are not divided by namespaces.
    Denial{"add_key"}, Denial{"request_key"}, Denial{"keyctl"},
    // Large attack surfaces with rare use.
    Denial{"bpf", CAP_BPF}, Denial{"perf_event_open", CAP_PERFMON}, Denial{"userfaultfd"},
    Denial{"io_uring_setup"}, Denial{"io_uring_enter"}, Denial{"io_uring_register"},
    // Other processes' memory placement and descriptors.
    Denial{"kcmp", CAP_SYS_PTRACE}, Denial{"pidfd_getfd", CAP_SYS_PTRACE},
    Denial{"process_madvise", CAP_SYS_PTRACE}, Denial{"move_pages", CAP_SYS_NICE},
    Denial{"migrate_pages"}, Denial{"mbind", CAP_SYS_NICE},
    Denial{"get_mempolicy", CAP_SYS_NICE}, Denial{"set_mempolicy", CAP_SYS_NICE},
    Denial{"chroot", CAP_SYS_CHROOT},
};
// clang-format on

// Filtered by their arguments below.
constexpr std::array<std::string_view, 4> conditional_calls{"clone", "clone3", "personality",
                                                            "socket"};

// The last call that this profile was written for: futex_waitv. Numbers above 423 are the same on
// every architecture.
constexpr int last_reviewed_call = 449;

// What is newer does not exist. libseccomp cannot compare numbers, so this goes before its program,
// and behind the search, which allows none of them.
constexpr std::array<sock_filter, 3> newer_calls{
    {{BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(seccomp_data, nr)},
     {BPF_JMP | BPF_JGE | BPF_K, 0, 1, last_reviewed_call + 1},
     {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | ENOSYS}}};

constexpr std::uint32_t namespace_flags = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC |
                                          CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET |
                                          CLONE_NEWCGROUP;

bool holds(CapabilityMask capabilities, int number) {
  return number != never && (capabilities >> number & 1U) != 0;
}

class Filter {
 public:
  Filter() : context_(::seccomp_init(SCMP_ACT_ERRNO(EPERM))) {
    if (!context_) fail(ENOMEM);
    check(::seccomp_arch_add(context_.get(), SCMP_ARCH_X86));
    check(::seccomp_attr_set(context_.get(), SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(EPERM)));
  }

  void allow(const std::string& call, const std::vector<scmp_arg_cmp>& conditions = {}) {
    add(SCMP_ACT_ALLOW, ::seccomp_syscall_resolve_name(call.c_str()), conditions);
  }
  void pretend_unknown(int number) { add(SCMP_ACT_ERRNO(ENOSYS), number, {}); }

  FilterProgram program() const {
    const base::Fd file(::memfd_create("filter", MFD_CLOEXEC));
    if (!file) base::throw_errno("cannot make a file in memory");
    check(::seccomp_export_bpf(context_.get(), file.get()));
    const auto size = static_cast<std::size_t>(::lseek(file.get(), 0, SEEK_END));
    FilterProgram instructions(size / sizeof(sock_filter));
    base::pread_exact(file.get(), std::as_writable_bytes(std::span(instructions)), 0);
    return instructions;
  }

 private:
  struct Release {
    void operator()(void* context) const { ::seccomp_release(context); }
  };

  [[noreturn]] static void fail(int error) {
    throw base::system_error(error, "cannot compile the system call filter");
  }
  static void check(int result) {
    if (result < 0) fail(-result);
  }

  void add(std::uint32_t action, int number, const std::vector<scmp_arg_cmp>& conditions) {
    if (number == __NR_SCMP_ERROR) return;  // a call that no architecture here has
    check(::seccomp_rule_add_array(context_.get(), action, number,
                                   static_cast<unsigned>(conditions.size()), conditions.data()));
  }

  std::unique_ptr<void, Release> context_;
};

scmp_arg_cmp equals(unsigned argument, std::uint64_t value) {
  return {argument, SCMP_CMP_EQ, value, 0};
}

scmp_arg_cmp masked(unsigned argument, std::uint64_t mask, std::uint64_t value) {
  return {argument, SCMP_CMP_MASKED_EQ, mask, value};
}

bool is_allowed(std::string_view call, CapabilityMask capabilities) {
  if (std::ranges::count(conditional_calls, call) != 0) return false;
  const auto* const denial = std::ranges::find(denials, call, &Denial::call);
  return denial == denials.end() || holds(capabilities, denial->unlocked_by);
}

// Those that libseccomp and this profile know, and that no condition is put on.
std::set<std::uint32_t> allowed_calls(std::uint32_t architecture, CapabilityMask capabilities) {
  std::set<std::uint32_t> numbers;
  for (int number = 0; number <= last_reviewed_call; ++number) {
    const std::unique_ptr<char, decltype(&std::free)> name(
        ::seccomp_syscall_resolve_num_arch(architecture, number), &std::free);
    if (name && is_allowed(name.get(), capabilities)) {
      numbers.insert(static_cast<std::uint32_t>(number));
    }
  }
  return numbers;
}

void add_clone(Filter& filter, CapabilityMask capabilities) {
  if (holds(capabilities, CAP_SYS_ADMIN)) {
    filter.allow("clone");
    filter.allow("clone3");
    return;
  }
  filter.allow("clone", {masked(0, namespace_flags, 0)});
  // clone3's flags are in memory, out of a filter's sight. C libraries fall back to clone.
  filter.pretend_unknown(::seccomp_syscall_resolve_name("clone3"));
}

void add_personality(Filter& filter) {
  for (const auto allowed : allowed_personalities()) {
    filter.allow("personality", {equals(0, allowed)});
  }
}

// A VM's host sockets are no business of a container in it. The 32-bit entry has a second way to a
// socket, socketcall, whose arguments are in memory, out of a filter's sight. It stays open, as
// with docker: the C library of most 32-bit distributions has no other way to any socket, so that
// without it their programs have no network.
void add_socket(Filter& filter) {
  const auto [first_denied, others] = allowed_socket_families();
  filter.allow("socket", {{0, SCMP_CMP_LT, static_cast<std::uint64_t>(first_denied), 0}});
  for (const int family : others) {
    filter.allow("socket", {equals(0, static_cast<std::uint64_t>(family))});
  }
}

}  // namespace

std::set<std::string> allowed_without_conditions(CapabilityMask capabilities) {
  std::set<std::string> names;
  for (const auto architecture : std::array<std::uint32_t, 2>{SCMP_ARCH_X86_64, SCMP_ARCH_X86}) {
    for (const auto number : allowed_calls(architecture, capabilities)) {
      const std::unique_ptr<char, decltype(&std::free)> name(
          ::seccomp_syscall_resolve_num_arch(architecture, static_cast<int>(number)), &std::free);
      names.insert(name.get());
    }
  }
  return names;
}

std::uint64_t denied_clone_flags() { return namespace_flags; }

std::vector<std::uint64_t> allowed_personalities() {
  constexpr std::uint64_t query = 0xffffffff;
  return {PER_LINUX, PER_LINUX32, UNAME26, std::uint64_t{PER_LINUX32} | std::uint64_t{UNAME26},
          query};
}

std::pair<int, std::vector<int>> allowed_socket_families() {
  // Not "greater": the kernel drops the upper half of the argument that the filter compares.
  return {AF_VSOCK, {AF_KCM, AF_QIPCRTR, AF_SMC, AF_XDP, AF_MCTP}};
}

CapabilityMask filter_relevant(CapabilityMask capabilities) {
  CapabilityMask relevant = 0;
  for (const auto& denial : denials) {
    if (denial.unlocked_by != never) relevant |= CapabilityMask{1} << denial.unlocked_by;
  }
  return capabilities & relevant;
}

CapabilityMask default_filter_capabilities() { return CapabilityMask{1} << CAP_SYS_CHROOT; }

FilterProgram compile_filter(CapabilityMask capabilities) {
  auto program =
      search_of_allowed({{{AUDIT_ARCH_X86_64, allowed_calls(SCMP_ARCH_X86_64, capabilities)},
                          {AUDIT_ARCH_I386, allowed_calls(SCMP_ARCH_X86, capabilities)}}});
  program.insert(program.end(), newer_calls.begin(), newer_calls.end());
  Filter filter;
  add_clone(filter, capabilities);
  add_personality(filter);
  add_socket(filter);
  const auto conditions = filter.program();
  program.insert(program.end(), conditions.begin(), conditions.end());
  return program;
}

}  // namespace twinbox::container
