// KVM's ioctls: EINTR retried, failures named.
#pragma once

#include <sys/ioctl.h>

#include <cerrno>
#include <cstddef>
#include <memory>
#include <span>
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

// An argument of the shape "header, then entries", which C++ has no type for: one block of memory.
//
//   ListArgument<kvm_cpuid2, kvm_cpuid_entry2> list(256);
//   list.header().nent = 256;
template <typename Header, typename Entry>
class ListArgument {
 public:
  explicit ListArgument(std::size_t count)
      : block_(std::make_unique<std::byte[]>(sizeof(Header) + count * sizeof(Entry))),
        count_(count) {}

  Header& header() { return *reinterpret_cast<Header*>(block_.get()); }
  std::span<Entry> entries() {
    return {reinterpret_cast<Entry*>(block_.get() + sizeof(Header)), count_};
  }

 private:
  std::unique_ptr<std::byte[]> block_;
  std::size_t count_;
};

}  // namespace twinbox::vmm::kvm
