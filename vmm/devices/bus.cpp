#include "vmm/devices/bus.hpp"

#include <algorithm>
#include <iterator>

#include "base/error.hpp"

namespace twinbox::vmm {

void Bus::add(std::uint64_t start, std::uint64_t size, BusDevice& device) {
  const auto next = ranges_.lower_bound(start);
  const bool hits_next = next != ranges_.end() && next->first < start + size;
  const bool hits_previous =
      next != ranges_.begin() && std::prev(next)->first + std::prev(next)->second.size > start;
  if (hits_next || hits_previous) {
    throw base::Error(base::ErrorKind::internal,
                      fmt::format("two devices at bus address {:#x}", start));
  }
  ranges_[start] = {size, &device};
}

const Bus::Range* Bus::find(std::uint64_t address, std::size_t length, std::uint64_t& start) const {
  auto after = ranges_.upper_bound(address);
  if (after == ranges_.begin()) return nullptr;
  const auto& [first, range] = *std::prev(after);
  const std::uint64_t offset = address - first;
  if (offset >= range.size || length > range.size - offset) return nullptr;
  start = first;
  return &range;
}

void Bus::read(std::uint64_t address, std::span<std::byte> data) const {
  std::ranges::fill(data, std::byte{0xff});
  std::uint64_t start = 0;
  if (const Range* range = find(address, data.size(), start)) {
    range->device->read(address - start, data);
  }
}

void Bus::write(std::uint64_t address, std::span<const std::byte> data) const {
  std::uint64_t start = 0;
  if (const Range* range = find(address, data.size(), start)) {
    range->device->write(address - start, data);
  }
}

}  // namespace twinbox::vmm
