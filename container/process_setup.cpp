#include "container/process_setup.hpp"

#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <net/if.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

#include "base/error.hpp"
#include "base/syscall.hpp"
#include "container/capabilities.hpp"
#include "container/handshake.hpp"
#include "container/mount_api.hpp"
#include "container/report_abi.hpp"
#include "container/seccomp.hpp"
#include "sandbox/engine.hpp"

namespace twinbox::container {
namespace {

constexpr std::array<std::pair<std::string_view, int>, 16> limit_names{{
    {"RLIMIT_AS", RLIMIT_AS},
    {"RLIMIT_CORE", RLIMIT_CORE},
    {"RLIMIT_CPU", RLIMIT_CPU},
    {"RLIMIT_DATA", RLIMIT_DATA},
    {"RLIMIT_FSIZE", RLIMIT_FSIZE},
    {"RLIMIT_LOCKS", RLIMIT_LOCKS},
    {"RLIMIT_MEMLOCK", RLIMIT_MEMLOCK},
    {"RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE},
    {"RLIMIT_NICE", RLIMIT_NICE},
    {"RLIMIT_NOFILE", RLIMIT_NOFILE},
    {"RLIMIT_NPROC", RLIMIT_NPROC},
    {"RLIMIT_RSS", RLIMIT_RSS},
    {"RLIMIT_RTPRIO", RLIMIT_RTPRIO},
    {"RLIMIT_RTTIME", RLIMIT_RTTIME},
    {"RLIMIT_SIGPENDING", RLIMIT_SIGPENDING},
    {"RLIMIT_STACK", RLIMIT_STACK},
}};

int limit_number(std::string_view name) {
  for (const auto& [known, number] : limit_names) {
    if (known == name) return number;
  }
  throw base::Error(base::ErrorKind::usage, fmt::format("{} is no resource limit", name));
}

void move_descriptor(int from, int to) {
  if (::dup2(from, to) < 0) base::throw_errno("cannot move descriptor {} to {}", from, to);
}

}  // namespace

void arrange_descriptors(const sandbox::Stdio& stdio, int report, int last) {
  // All to numbers out of the way first, since any may lie where another is to go.
  const std::array<int, 5> sources{stdio.in, stdio.out, stdio.err, report, last};
  std::array<int, 5> copies{};
  for (std::size_t index = 0; index < sources.size(); ++index) {
    copies[index] = ::fcntl(sources[index], F_DUPFD, static_cast<int>(sources.size()));
    if (copies[index] < 0) base::throw_errno("cannot pass on descriptor {}", sources[index]);
  }
  for (std::size_t index = 0; index < copies.size(); ++index) {
    move_descriptor(copies[index], static_cast<int>(index));
  }
  static_assert(report_abi::report_descriptor == 3 && last_descriptor == 4);
  base::set_cloexec(last_descriptor, true);
  if (::close_range(last_descriptor + 1, ~0U, 0) != 0)
    base::throw_errno("cannot close descriptors");
}

void reset_signals() {
  // The system call itself, since the C library keeps two signals to itself, which whoever started
  // us may have left ignored. All zeros is the default action. Fails for KILL and STOP.
  struct {
    std::uint64_t handler, flags, restorer, mask;
  } const action{};
  for (int number = 1; number < NSIG; ++number) {
    ::syscall(SYS_rt_sigaction, number, &action, nullptr, sizeof action.mask);
  }
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

void set_resource_limits(const std::vector<sandbox::Rlimit>& limits) {
  for (const auto& limit : limits) {
    const rlimit64 wanted{limit.soft, limit.hard};
    if (::prlimit64(0, static_cast<__rlimit_resource>(limit_number(limit.type)), &wanted,
                    nullptr) == 0) {
      continue;
    }
    const int error = errno;
    throw base::system_error(
        error, fmt::format("cannot set {} to {}:{}", limit.type, limit.soft, limit.hard),
        error == EPERM ? "twinbox may only lower this limit: raise its own, or run it with "
                         "CAP_SYS_RESOURCE"
                       : "");
  }
}

namespace {

bool counts_processes(const sandbox::Rlimit& limit) { return limit.type == "RLIMIT_NPROC"; }

}  // namespace

void set_resource_limits_for_two(std::vector<sandbox::Rlimit> limits) {
  for (auto& limit : limits) {
    if (!counts_processes(limit)) continue;
    for (auto* const value : {&limit.soft, &limit.hard}) *value += *value != RLIM64_INFINITY;
  }
  set_resource_limits(limits);
}

void set_process_limit(std::vector<sandbox::Rlimit> limits) {
  std::erase_if(limits, [](const auto& limit) { return !counts_processes(limit); });
  set_resource_limits(limits);
}

void set_oom_score(std::optional<int> score) {
  if (!score) return;
  const auto value = std::to_string(*score);
  try {
    base::write_all(base::open_file("/proc/self/oom_score_adj", O_WRONLY).get(), value);
  } catch (const base::Error& error) {
    throw base::Error(error.kind(),
                      fmt::format("cannot set oom_score_adj to {}: {}", value, error.message()),
                      "give a number from -1000 to 1000");
  }
}

void enter_working_directory(const std::string& path, Role role) {
  if (!path.starts_with('/')) {
    throw base::Error(base::ErrorKind::usage,
                      fmt::format("the working directory {} is no absolute path", path));
  }
  // Never through a magic link such as /proc/self/fd/N, which would lead out (CVE-2024-21626).
  const base::Fd root = base::open_file("/", O_PATH | O_DIRECTORY);
  const auto directory =
      role == Role::first
          ? open_or_make_in_root(root.get(), path, Links::within_root, Missing::directory)
          : open_in_root(root.get(), path, Links::within_root);
  if (!directory) {
    throw Failure{
        sandbox::status_command_not_found,
        {base::ErrorKind::not_found, fmt::format("there is no directory {} to work in", path)}};
  }
  if (::fchdir(directory.get()) != 0) base::throw_errno("cannot enter the directory {}", path);
  // The system call itself: it says "(unreachable)..." for a directory outside of the root.
  std::array<char, PATH_MAX> name{};
  if (::syscall(SYS_getcwd, name.data(), name.size()) < 0 || name[0] != '/') {
    throw base::Error(base::ErrorKind::unsupported,
                      fmt::format("the working directory {} is not inside the root", path));
  }
}

void become_user(const sandbox::User& user) {
  // The system calls themselves: the C library's functions would look for the parent's threads.
  const auto& groups = user.additional_gids;
  if (::syscall(SYS_setgroups, groups.size(), groups.data()) != 0) {
    base::throw_errno("cannot set the supplementary groups");
  }
  if (::syscall(SYS_setresgid, user.gid, user.gid, user.gid) != 0) {
    base::throw_errno("cannot become group {}", user.gid);
  }
  if (::syscall(SYS_setresuid, user.uid, user.uid, user.uid) != 0) {
    base::throw_errno("cannot become user {}", user.uid);
  }
}

namespace {

void install_filter_of(const sandbox::Spec& spec, CapabilityMask kept) {
  if (spec.seccomp == sandbox::Seccomp::profile) {
    install_profile(spec.seccomp_profile, kept);
  } else {
    install_filter(kept);
  }
}

CapabilityMask kept_capabilities(const InitPlan& plan) {
  auto kept = parse_capabilities(plan.spec.process.capabilities);
  // Nothing else would keep its holder from making, and using, a node of the kernel's disk.
  if (!plan.devices_controlled) kept &= ~(CapabilityMask{1} << CAP_MKNOD);
  return kept;
}

}  // namespace

void filter_ahead(InitPlan& plan) {
  install_filter(kept_capabilities(plan));
  plan.filtered = true;
}

void drop_privileges(const InitPlan& plan) {
  const auto& spec = plan.spec;
  const auto kept = kept_capabilities(plan);
  const bool filter = spec.seccomp != sandbox::Seccomp::unconfined && !plan.filtered;
  const bool early_filter = filter && !spec.process.no_new_privileges;
  if (spec.process.no_new_privileges && ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    base::throw_errno("cannot set no_new_privs");
  }
  // Without no_new_privs a filter takes CAP_SYS_ADMIN, which is about to go.
  if (early_filter) install_filter_of(spec, kept);
  limit_bounding_set(kept);
  become_user(spec.process.user);
  set_capabilities(kept);
  if (filter && !early_filter) install_filter_of(spec, kept);
}

void bring_up_loopback() {
  const base::Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket) base::throw_errno("cannot open a socket to bring up the loopback interface");
  ifreq request{};
  std::strcpy(request.ifr_name, "lo");
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  if (::ioctl(socket.get(), SIOCSIFFLAGS, &request) != 0) {
    base::throw_errno("cannot bring up the loopback interface");
  }
}

}  // namespace twinbox::container
