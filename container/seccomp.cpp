#include "container/seccomp.hpp"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <span>
#include <vector>

#include "base/error.hpp"
#include "container/seccomp_custom.hpp"
#include "container/seccomp_profile.hpp"

namespace twinbox::container {
namespace {

// Written by the filter generator: compile_filter(default_filter_capabilities()). Compiling it for
// each box would cost more than all its namespaces.
constexpr sock_filter default_filter[] = {
#include "container/seccomp_default_filter.inc"
};

void install(std::span<const sock_filter> instructions) {
  sock_fprog program{};
  program.len = static_cast<unsigned short>(instructions.size());
  program.filter = const_cast<sock_filter*>(instructions.data());  // the kernel only reads it
  // SPEC_ALLOW: no speculation barriers beyond the host's own, as is the default since Linux 5.16.
  if (::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, &program) !=
      0) {
    base::throw_errno("cannot install the system call filter");
  }
}

}  // namespace

void install_filter(CapabilityMask capabilities) {
  const auto relevant = filter_relevant(capabilities);
  if (relevant == default_filter_capabilities()) {
    install(default_filter);
  } else {
    install(compile_filter(relevant));
  }
}

void install_profile(std::string_view profile, CapabilityMask capabilities) {
  install(compile_profile(profile, capabilities));
}

}  // namespace twinbox::container
