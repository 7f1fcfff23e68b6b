#include "compare/orphans.hpp"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "base/error.hpp"

namespace twinbox::compare {
namespace {

std::uint64_t nanoseconds(const timeval& time) {
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000U +
         static_cast<std::uint64_t>(time.tv_usec) * 1000U;
}

}  // namespace

void adopt_orphans() {
  if (::prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) base::throw_errno("cannot adopt processes");
}

CpuTime reap_orphans() {
  CpuTime sum;
  rusage usage{};
  while (::wait4(-1, nullptr, WNOHANG, &usage) > 0) {
    sum.user_ns += nanoseconds(usage.ru_utime);
    sum.system_ns += nanoseconds(usage.ru_stime);
  }
  return sum;
}

}  // namespace twinbox::compare
