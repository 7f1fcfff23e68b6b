#include "vmm/memory/page_copier.hpp"

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>
#include <utility>

namespace twinbox::vmm {
namespace {

std::uint64_t address(const void* pointer) { return reinterpret_cast<std::uint64_t>(pointer); }

}  // namespace

PageCopier::PageCopier(std::span<std::byte> pages) {
  // The kernel's own faults are not to be told of: that needs no privilege.
  base::Fd handler(
      static_cast<int>(::syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | UFFD_USER_MODE_ONLY)));
  if (!handler) return;
  uffdio_api api{.api = UFFD_API, .features = 0, .ioctls = 0};
  uffdio_register range{.range = {.start = address(pages.data()), .len = pages.size()},
                        .mode = UFFDIO_REGISTER_MODE_MISSING,
                        .ioctls = 0};
  if (::ioctl(handler.get(), UFFDIO_API, &api) != 0) return;
  if (::ioctl(handler.get(), UFFDIO_REGISTER, &range) != 0) return;
  fault_handler_ = std::move(handler);
}

bool PageCopier::copy(std::span<std::byte> target, std::span<const std::byte> source) const {
  if (!fault_handler_) return false;
  uffdio_copy order{.dst = address(target.data()),
                    .src = address(source.data()),
                    .len = target.size(),
                    .mode = UFFDIO_COPY_MODE_DONTWAKE,  // nobody waits
                    .copy = 0};
  return ::ioctl(fault_handler_.get(), UFFDIO_COPY, &order) == 0;
}

}  // namespace twinbox::vmm
