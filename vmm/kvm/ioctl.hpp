// KVM's ioctls: EINTR retried, failures named.
#pragma once

#include <sys/ioctl.h>

#include <cerrno>
#include <string_view>

#include "base/error.hpp"

namespace twinbox::vmm::kvm {

// The result of an ioctl that must work; throws base::Error (system) with `name` otherwise.
template <typename Argument>
int checked_ioctl(int fd, unsigned long request, Argument argument, std::string_view name) {
  int result = ::ioctl(fd, request, argument);
  while (result < 0 && errno == EINTR) result = ::ioctl(fd, request, argument);
  if (result < 0) base::throw_errno("KVM refused {}", name);
  return result;
}

}  // namespace twinbox::vmm::kvm
