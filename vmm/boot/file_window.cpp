#include "vmm/boot/file_window.hpp"

#include <sys/stat.h>

#include <algorithm>

#include "base/error.hpp"
#include "base/syscall.hpp"

namespace twinbox::vmm::boot {
namespace {

constexpr std::uint64_t page = 4096;

void copy_part(const GuestMemory& memory, GuestAddress address, int fd, std::uint64_t offset,
               std::uint64_t length) {
  if (length == 0) return;
  const auto target = memory.slice(address, length);
  if (!target) {
    throw base::Error(base::ErrorKind::internal,
                      fmt::format("guest address {:#x} is no RAM", address.value));
  }
  base::pread_exact(fd, *target, offset);
}

}  // namespace

std::uint64_t file_size(int fd) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) base::throw_errno("cannot look at descriptor {}", fd);
  return static_cast<std::uint64_t>(status.st_size);
}

void place_file(const GuestMemory& memory, GuestAddress address, int fd, std::uint64_t offset,
                std::uint64_t length) {
  const std::uint64_t head = std::min(length, (page - address.value % page) % page);
  const std::uint64_t whole = (length - head) / page * page;
  const bool congruent = (offset + head) % page == 0;
  const std::uint64_t mapped = congruent ? whole : 0;
  const auto at = [&](std::uint64_t done) { return GuestAddress{address.value + done}; };
  if (mapped != 0 && !memory.map_file(at(head), fd, offset + head, mapped)) {
    base::throw_errno("cannot map a file at guest address {:#x}", address.value);
  }
  copy_part(memory, address, fd, offset, head);
  copy_part(memory, at(head + mapped), fd, offset + head + mapped, length - head - mapped);
}

}  // namespace twinbox::vmm::boot
