#include "vmm/boot/trim_elf.hpp"

#include <elf.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>

#include "base/error.hpp"
#include "base/syscall.hpp"

namespace twinbox::vmm::boot {
namespace {

// The length of [offset, offset + length) without the zeros at its end.
std::uint64_t without_zeros(int fd, std::uint64_t offset, std::uint64_t length) {
  std::array<std::byte, 65536> buffer;
  while (length > 0) {
    const auto count = std::min<std::uint64_t>(buffer.size(), length);
    const auto piece = std::span(buffer).first(count);
    base::pread_exact(fd, piece, offset + length - count);
    const auto last = std::find_if(piece.rbegin(), piece.rend(),
                                   [](std::byte value) { return value != std::byte{0}; });
    const auto zeros = static_cast<std::uint64_t>(last - piece.rbegin());
    length -= zeros;
    if (zeros < count) break;
  }
  return length;
}

}  // namespace

void trim_elf(int fd) {
  try {
    Elf64_Ehdr header{};
    base::pread_exact(fd, std::as_writable_bytes(std::span(&header, 1)), 0);
    if (header.e_phentsize != sizeof(Elf64_Phdr)) return;
    for (std::uint64_t i = 0; i < header.e_phnum; ++i) {
      const auto where = header.e_phoff + i * sizeof(Elf64_Phdr);
      Elf64_Phdr segment{};
      base::pread_exact(fd, std::as_writable_bytes(std::span(&segment, 1)), where);
      if (segment.p_type != PT_LOAD) continue;
      segment.p_filesz = without_zeros(fd, segment.p_offset, segment.p_filesz);
      base::pwrite_all(fd, std::as_bytes(std::span(&segment, 1)), where);
    }
  } catch (const base::Error&) {
    // Truncated; named when it is loaded.
  }
}

}  // namespace twinbox::vmm::boot
