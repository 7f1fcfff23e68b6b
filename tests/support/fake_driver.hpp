// A driver that brings a virtio device up over virtio-mmio, as Linux does.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "tests/support/fake_guest.hpp"
#include "vmm/devices/bus.hpp"
#include "vmm/virtio/abi.hpp"

namespace twinbox::tests {

std::uint32_t read_u32(vmm::BusDevice& device, std::uint64_t offset);
void write_u32(vmm::BusDevice& device, std::uint64_t offset, std::uint32_t value);

class FakeDriver {
 public:
  // The registers are borrowed.
  FakeDriver(FakeGuest& guest, vmm::BusDevice& registers) : guest_(guest), registers_(registers) {}

  std::uint32_t read(std::uint64_t offset) { return read_u32(registers_, offset); }
  void write(std::uint64_t offset, std::uint32_t value) { write_u32(registers_, offset, value); }

  std::uint32_t status() { return read(vmm::virtio::abi::mmio::status); }
  void add_status(std::uint32_t bits) { write(vmm::virtio::abi::mmio::status, status() | bits); }
  std::uint64_t offered_features();
  void accept_features(std::uint64_t features);

  // Reset to FEATURES_OK, with all that is offered save `without`.
  void negotiate(std::uint64_t without = 0);
  // Sets up one queue of the largest size, and makes it ready.
  QueueDriver& set_up_queue(std::uint16_t index);
  void describe_queue(std::uint16_t index, const vmm::virtio::QueueLayout& layout);
  // All of it: every queue of the device, then DRIVER_OK.
  void start(std::uint64_t without = 0);

  QueueDriver& queue(std::uint16_t index) { return *queues_.at(index); }
  void notify(std::uint16_t index) { write(vmm::virtio::abi::mmio::queue_notify, index); }

 private:
  FakeGuest& guest_;
  vmm::BusDevice& registers_;
  std::vector<std::unique_ptr<QueueDriver>> queues_;
};

}  // namespace twinbox::tests
