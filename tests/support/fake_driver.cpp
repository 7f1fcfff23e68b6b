#include "tests/support/fake_driver.hpp"

#include <span>

namespace twinbox::tests {

namespace abi = vmm::virtio::abi;
namespace mmio = vmm::virtio::abi::mmio;

std::uint32_t read_u32(vmm::BusDevice& device, std::uint64_t offset) {
  std::uint32_t value = 0;
  device.read(offset, std::as_writable_bytes(std::span(&value, 1)));
  return value;
}

void write_u32(vmm::BusDevice& device, std::uint64_t offset, std::uint32_t value) {
  device.write(offset, std::as_bytes(std::span(&value, 1)));
}

std::uint64_t FakeDriver::offered_features() {
  write(mmio::device_features_select, 1);
  const std::uint64_t high = read(mmio::device_features);
  write(mmio::device_features_select, 0);
  return high << 32 | read(mmio::device_features);
}

void FakeDriver::accept_features(std::uint64_t features) {
  write(mmio::driver_features_select, 1);
  write(mmio::driver_features, static_cast<std::uint32_t>(features >> 32));
  write(mmio::driver_features_select, 0);
  write(mmio::driver_features, static_cast<std::uint32_t>(features));
}

void FakeDriver::negotiate(std::uint64_t without) {
  write(mmio::status, 0);
  queues_.clear();
  add_status(abi::status_acknowledge);
  add_status(abi::status_driver);
  accept_features(offered_features() & ~without);
  add_status(abi::status_features_ok);
}

QueueDriver& FakeDriver::set_up_queue(std::uint16_t index) {
  write(mmio::queue_select, index);
  if (queues_.size() <= index) queues_.resize(index + 1U);
  queues_[index] =
      std::make_unique<QueueDriver>(guest_, static_cast<std::uint16_t>(read(mmio::queue_size_max)));
  describe_queue(index, queues_[index]->layout());
  write(mmio::queue_ready, 1);
  return *queues_[index];
}

void FakeDriver::describe_queue(std::uint16_t index, const vmm::virtio::QueueLayout& layout) {
  const auto high = [](vmm::GuestAddress address) {
    return static_cast<std::uint32_t>(address.value >> 32);
  };
  const auto low = [](vmm::GuestAddress address) {
    return static_cast<std::uint32_t>(address.value);
  };
  write(mmio::queue_select, index);
  write(mmio::queue_size, layout.size);
  write(mmio::queue_descriptors_low, low(layout.descriptors));
  write(mmio::queue_descriptors_high, high(layout.descriptors));
  write(mmio::queue_available_low, low(layout.available));
  write(mmio::queue_available_high, high(layout.available));
  write(mmio::queue_used_low, low(layout.used));
  write(mmio::queue_used_high, high(layout.used));
}

void FakeDriver::start(std::uint64_t without) {
  negotiate(without);
  for (std::uint16_t index = 0;; ++index) {
    write(mmio::queue_select, index);
    if (read(mmio::queue_size_max) == 0) break;
    set_up_queue(index);
  }
  add_status(abi::status_driver_ok);
}

}  // namespace twinbox::tests
