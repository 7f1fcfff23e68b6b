// Byte-wise access to a device's registers, for tests.
#pragma once

#include <cstdint>
#include <span>

#include "vmm/devices/bus.hpp"

namespace twinbox::vmm {

inline std::uint8_t in(BusDevice& device, std::uint64_t offset) {
  std::byte value{0};
  device.read(offset, std::span(&value, 1));
  return std::to_integer<std::uint8_t>(value);
}

inline void out(BusDevice& device, std::uint64_t offset, unsigned value) {
  const auto byte = static_cast<std::byte>(value);
  device.write(offset, std::span(&byte, 1));
}

// An access of any size.
template <typename T>
T in_wide(BusDevice& device, std::uint64_t offset) {
  T value = 0;
  device.read(offset, std::as_writable_bytes(std::span(&value, 1)));
  return value;
}

template <typename T>
void out_wide(BusDevice& device, std::uint64_t offset, T value) {
  device.write(offset, std::as_bytes(std::span(&value, 1)));
}

}  // namespace twinbox::vmm
