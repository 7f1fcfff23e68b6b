// Devices on the port and memory buses: a device sees an offset and bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <span>

#include "vmm/snapshot/archive.hpp"

namespace twinbox::vmm {

// Called from vCPU threads; a device guards its own state.
class BusDevice {
 public:
  virtual ~BusDevice() = default;
  // Fills `data` (1 to 8 bytes; any size may come) from `offset` within the device's range. Bytes
  // that are not there read as all ones.
  virtual void read(std::uint64_t offset, std::span<std::byte> data) = 0;
  virtual void write(std::uint64_t offset, std::span<const std::byte> data) = 0;
  // Its registers, where it has any, while no vCPU runs.
  virtual void save(StateWriter&) {}
  virtual void restore(StateReader&) {}
};

// An address space of devices; filled before the vCPUs run, read-only afterwards.
class Bus {
 public:
  // The ranges must not overlap (throws base::Error, internal). The device is borrowed.
  void add(std::uint64_t start, std::uint64_t size, BusDevice& device);
  // An access that no device answers reads as all ones.
  void read(std::uint64_t address, std::span<std::byte> data) const;
  void write(std::uint64_t address, std::span<const std::byte> data) const;

 private:
  struct Range {
    std::uint64_t size;
    BusDevice* device;
  };
  const Range* find(std::uint64_t address, std::size_t length, std::uint64_t& start) const;

  std::map<std::uint64_t, Range> ranges_;
};

// Raises an interrupt line; level and edge are the wiring's affair (an irqfd behind it, or a test).
using InterruptLine = std::function<void()>;

}  // namespace twinbox::vmm
