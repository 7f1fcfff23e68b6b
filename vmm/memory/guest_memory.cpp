#include "vmm/memory/guest_memory.hpp"

#include <sys/mman.h>
#include <sys/prctl.h>

#include <algorithm>
#include <cstring>

#include "vmm/layout.hpp"

namespace twinbox::vmm {
namespace {

constexpr std::uint64_t page = 4096;
// KVM backs guest memory by huge pages only where host and guest addresses agree on their offset in
// one. A fault for each small page that a booting kernel touches costs more than its instructions.
constexpr std::uint64_t huge_page = 2U << 20;

// Lets whoever measures the process tell guest RAM from our own memory in /proc/PID/smaps
// ("[anon:twinbox-guest-ram]"). Kernels without CONFIG_ANON_VMA_NAME refuse, which is no harm.
void name_mapping(const base::Mapping& mapping) {
  constexpr int set_vma = 0x53564d41;  // PR_SET_VMA, which older headers lack
  constexpr unsigned long anonymous_name = 0;
  ::prctl(set_vma, anonymous_name, mapping.data(), mapping.size(), "twinbox-guest-ram");
}

}  // namespace

std::optional<GuestAddress> checked_add(GuestAddress address, std::uint64_t offset) {
  GuestAddress sum;
  if (__builtin_add_overflow(address.value, offset, &sum.value)) return std::nullopt;
  return sum;
}

GuestMemory::GuestMemory(std::uint64_t size)
    : mapping_(base::Mapping::anonymous_aligned((size + page - 1) / page * page, huge_page)) {
  name_mapping(mapping_);
  const std::uint64_t low = std::min<std::uint64_t>(mapping_.size(), layout::gap_start);
  regions_.push_back({GuestAddress{0}, low, 0});
  if (mapping_.size() > low) {
    regions_.push_back({GuestAddress{layout::gap_end}, mapping_.size() - low, low});
  }
}

std::optional<std::span<std::byte>> GuestMemory::slice(GuestAddress address,
                                                       std::uint64_t length) const {
  for (const auto& region : regions_) {
    if (address < region.start) continue;
    const std::uint64_t offset = address.value - region.start.value;
    if (offset >= region.size || length > region.size - offset) continue;
    return mapping_.bytes().subspan(region.host_offset + offset, length);
  }
  return std::nullopt;
}

bool GuestMemory::read(GuestAddress address, std::span<std::byte> out) const {
  const auto range = slice(address, out.size());
  if (range) std::memcpy(out.data(), range->data(), out.size());
  return range.has_value();
}

bool GuestMemory::write(GuestAddress address, std::span<const std::byte> bytes) const {
  const auto range = slice(address, bytes.size());
  if (range) std::memcpy(range->data(), bytes.data(), bytes.size());
  return range.has_value();
}

bool GuestMemory::map_file(GuestAddress address, int fd, std::uint64_t offset,
                           std::uint64_t length) const {
  const auto range = slice(address, length);
  if (!range || (address.value | offset | length) % page != 0) return false;
  return ::mmap(range->data(), length, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_FIXED | MAP_NORESERVE, fd,
                static_cast<off_t>(offset)) != MAP_FAILED;
}

}  // namespace twinbox::vmm
