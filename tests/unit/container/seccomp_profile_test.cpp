// Runs the filter program on calls as the kernel would.
#include "container/seccomp_profile.hpp"

#include <gtest/gtest.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.hpp"
#include "container/seccomp_custom.hpp"
#include "container/seccomp_oci.hpp"

namespace twinbox::container {
namespace {

// The part of classic BPF that seccomp programs are made of.
std::uint32_t evaluate(const FilterProgram& program, const seccomp_data& data) {
  std::uint32_t accumulator = 0;
  for (std::size_t at = 0; at < program.size(); ++at) {
    const auto& step = program[at];
    const auto jump = [&](bool condition) { at += condition ? step.jt : step.jf; };
    switch (step.code) {
      case BPF_LD | BPF_W | BPF_ABS:
        std::memcpy(&accumulator, reinterpret_cast<const char*>(&data) + step.k,
                    sizeof accumulator);
        break;
      case BPF_ALU | BPF_AND | BPF_K:
        accumulator &= step.k;
        break;
      case BPF_JMP | BPF_JA:
        at += step.k;
        break;
      case BPF_JMP | BPF_JEQ | BPF_K:
        jump(accumulator == step.k);
        break;
      case BPF_JMP | BPF_JGT | BPF_K:
        jump(accumulator > step.k);
        break;
      case BPF_JMP | BPF_JGE | BPF_K:
        jump(accumulator >= step.k);
        break;
      case BPF_RET | BPF_K:
        return step.k;
      default:
        ADD_FAILURE() << "an instruction that this test does not know: " << step.code;
        return 0;
    }
  }
  ADD_FAILURE() << "the program ends without a verdict";
  return 0;
}

constexpr std::uint32_t allowed = SECCOMP_RET_ALLOW;
constexpr std::uint32_t denied = SECCOMP_RET_ERRNO | EPERM;
constexpr std::uint32_t unknown = SECCOMP_RET_ERRNO | ENOSYS;

class SeccompProfile : public ::testing::Test {
 protected:
  std::uint32_t verdict(long number, std::initializer_list<std::uint64_t> arguments = {},
                        std::uint32_t architecture = AUDIT_ARCH_X86_64) const {
    seccomp_data data{};
    data.nr = static_cast<int>(number);
    data.arch = architecture;
    std::copy(arguments.begin(), arguments.end(), data.args);
    return evaluate(program_, data);
  }

  FilterProgram program_ = compile_filter(default_filter_capabilities());
};

TEST_F(SeccompProfile, AllowsOrdinaryCalls) {
  for (const long number : {SYS_read, SYS_openat, SYS_execve, SYS_mmap, SYS_fork, SYS_ptrace,
                            SYS_setuid, SYS_chown, SYS_futex, SYS_chroot, SYS_epoll_wait}) {
    EXPECT_EQ(verdict(number), allowed) << number;
  }
}

TEST_F(SeccompProfile, DeniesWhatReachesTheHost) {
  for (const long number : {SYS_mount,
                            SYS_umount2,
                            SYS_move_mount,
                            SYS_open_tree,
                            SYS_unshare,
                            SYS_setns,
                            SYS_bpf,
                            SYS_keyctl,
                            SYS_init_module,
                            SYS_kexec_load,
                            SYS_reboot,
                            SYS_settimeofday,
                            SYS_swapon,
                            SYS_open_by_handle_at,
                            SYS_perf_event_open,
                            SYS_userfaultfd,
                            SYS_io_uring_setup,
                            SYS_pivot_root,
                            SYS_iopl,
                            SYS_quotactl}) {
    EXPECT_EQ(verdict(number), denied) << number;
  }
}

TEST_F(SeccompProfile, DeniesNewNamespacesByClone) {
  EXPECT_EQ(verdict(SYS_clone, {CLONE_VM | CLONE_FILES}), allowed);
  for (const std::uint64_t flag : {CLONE_NEWUSER, CLONE_NEWNS, CLONE_NEWNET, CLONE_NEWPID}) {
    EXPECT_EQ(verdict(SYS_clone, {flag}), denied);
  }
  EXPECT_EQ(verdict(SYS_clone3), unknown);
}

// Whether they can be used is for the control group to say.
TEST_F(SeccompProfile, LeavesDeviceNodesToTheCapability) {
  EXPECT_EQ(verdict(SYS_mknod, {0, S_IFIFO | 0600, 0}), allowed);
  EXPECT_EQ(verdict(SYS_mknodat, {0, 0, S_IFBLK | 0600, makedev(8, 0)}), allowed);
}

TEST_F(SeccompProfile, DeniesSocketsToAVmsHost) {
  EXPECT_EQ(verdict(SYS_socket, {AF_INET}), allowed);
  EXPECT_EQ(verdict(SYS_socket, {AF_XDP}), allowed);
  EXPECT_EQ(verdict(SYS_socket, {AF_VSOCK}), denied);
  EXPECT_EQ(verdict(SYS_socket, {0x1'0000'0000U | AF_VSOCK}), denied);
}

TEST_F(SeccompProfile, NewerCallsDoNotExist) {
  for (const long number : {450L, 452L, 470L, 5000L}) EXPECT_EQ(verdict(number), unknown) << number;
  constexpr long x32_read = 0x40000000;
  EXPECT_EQ(verdict(x32_read), unknown);
}

TEST_F(SeccompProfile, Filters32BitCallsToo) {
  constexpr long read_32 = 3;
  constexpr long mount_32 = 21;
  EXPECT_EQ(verdict(read_32, {}, AUDIT_ARCH_I386), allowed);
  EXPECT_EQ(verdict(mount_32, {}, AUDIT_ARCH_I386), denied);
}

TEST_F(SeccompProfile, Leaves32BitProgramsTheirNetwork) {
  constexpr long socket_32 = 359;
  constexpr long socketcall_32 = 102;
  EXPECT_EQ(verdict(socket_32, {AF_INET}, AUDIT_ARCH_I386), allowed);
  EXPECT_EQ(verdict(socket_32, {AF_VSOCK}, AUDIT_ARCH_I386), denied);
  EXPECT_EQ(verdict(socketcall_32, {}, AUDIT_ARCH_I386), allowed);
}

// Every number of both architectures beside libseccomp's names, so that no range reaches too far.
TEST_F(SeccompProfile, AllowsByNameOnBothArchitectures) {
  const std::set<std::string> denied_names{"mount",  "swapon",         "bpf",
                                           "keyctl", "io_uring_enter", "umount",
                                           "vm86",   "iopl",           "set_mempolicy"};
  for (const auto& [architecture, audit] :
       {std::pair<std::uint32_t, std::uint32_t>{SCMP_ARCH_X86_64, AUDIT_ARCH_X86_64},
        {SCMP_ARCH_X86, AUDIT_ARCH_I386}}) {
    for (int number = 0; number < 450; ++number) {
      const std::unique_ptr<char, decltype(&std::free)> name(
          ::seccomp_syscall_resolve_num_arch(architecture, number), &std::free);
      const auto found = verdict(number, {}, audit);
      if (!name) {
        EXPECT_EQ(found, denied) << number;
      } else if (denied_names.contains(name.get())) {
        EXPECT_EQ(found, denied) << name.get();
      } else if (number > 0 && std::string_view(name.get()).starts_with("get") &&
                 !std::string_view(name.get()).ends_with("mempolicy") &&
                 !std::string_view(name.get()).ends_with("kernel_syms")) {
        EXPECT_EQ(found, allowed) << name.get();
      }
    }
  }
}

TEST_F(SeccompProfile, IsShort) {
  // The kernel compiles it for every box that starts; a comparison of each call takes 950.
  EXPECT_LT(program_.size(), 300U);
}

TEST_F(SeccompProfile, RefusesOtherArchitectures) {
  EXPECT_EQ(verdict(SYS_read, {}, AUDIT_ARCH_AARCH64), denied);
}

TEST_F(SeccompProfile, ACapabilityUnlocksItsCalls) {
  program_ = compile_filter(CapabilityMask{1} << CAP_SYS_ADMIN);

  EXPECT_EQ(verdict(SYS_mount), allowed);
  EXPECT_EQ(verdict(SYS_clone, {CLONE_NEWNS}), allowed);
  EXPECT_EQ(verdict(SYS_chroot), denied);
  EXPECT_EQ(verdict(SYS_keyctl), denied);
}

TEST(SeccompCapabilities, OnlySomeChangeTheFilter) {
  const auto mask = parse_capabilities({"CAP_CHOWN", "CAP_SYS_CHROOT", "CAP_MKNOD"});

  EXPECT_EQ(filter_relevant(mask), default_filter_capabilities());
}

// What other runtimes are handed must be what our own containers have.
TEST_F(SeccompProfile, IsTheSameInTheWordsOfTheRuntimeSpec) {
  const auto other = compile_profile(default_filter_as_oci(), default_filter_capabilities());
  constexpr long last_reviewed = SYS_futex_waitv;
  const auto expect_same = [&](long number, std::initializer_list<std::uint64_t> arguments) {
    seccomp_data data{};
    data.nr = static_cast<int>(number);
    data.arch = AUDIT_ARCH_X86_64;
    std::copy(arguments.begin(), arguments.end(), data.args);
    EXPECT_EQ(evaluate(other, data), evaluate(program_, data)) << number;
  };
  for (long number = 0; number <= last_reviewed; ++number) expect_same(number, {});
  expect_same(SYS_clone, {CLONE_NEWUSER});
  expect_same(SYS_clone, {CLONE_VM});
  expect_same(SYS_personality, {1});
  expect_same(SYS_personality, {0xffffffff});
  for (std::uint64_t family = 0; family <= AF_MCTP; ++family) expect_same(SYS_socket, {family});
}

TEST(Capabilities, AreKnownByName) {
  EXPECT_EQ(parse_capabilities({}), 0U);
  EXPECT_EQ(parse_capabilities({"CAP_CHOWN", "CAP_CHECKPOINT_RESTORE"}),
            (CapabilityMask{1} | CapabilityMask{1} << CAP_CHECKPOINT_RESTORE));
  EXPECT_EQ(parse_capabilities({"CAP_SYS_ADMIN"}), CapabilityMask{1} << CAP_SYS_ADMIN);
  EXPECT_THROW(parse_capabilities({"CAP_EVERYTHING"}), base::Error);
  EXPECT_THROW(parse_capabilities({"chown"}), base::Error);
}

}  // namespace
}  // namespace twinbox::container
