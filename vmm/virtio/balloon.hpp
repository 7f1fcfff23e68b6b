// The memory balloon device (virtio 1.2, 5.5), for what it gives back by itself: the guest reports
// pages that it has freed, and the host has them again. No balloon is ever asked to grow.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "vmm/memory/guest_memory.hpp"
#include "vmm/virtio/device.hpp"

namespace twinbox::vmm::virtio {

class Balloon final : public VirtioDevice {
 public:
  // The memory is borrowed.
  explicit Balloon(const GuestMemory& memory) : memory_(memory) {}

  std::uint32_t type() const override { return abi::type_balloon; }
  std::uint64_t features() const override;
  std::span<const std::uint16_t> queue_sizes() const override { return queue_sizes_; }
  std::span<const std::byte> config() const override { return config_; }

  // What the guest has given back since the device was made, in bytes. Pages that it has taken
  // again meanwhile count as well.
  std::uint64_t given_back() const { return given_back_; }

 private:
  void on_queue(std::uint16_t index) override;
  void take_reported(const DescriptorChain& chain);
  void take_inflated(const DescriptorChain& chain);
  void discard(std::span<std::byte> range);

  // By 5.5.2 the queue of reports is the fifth; but drivers number only the queues of the features
  // that were offered, and so it is the third.
  static constexpr std::array<std::uint16_t, 3> queue_sizes_{64, 64, 64};

  const GuestMemory& memory_;
  std::array<std::byte, 8> config_{};  // num_pages and actual (5.5.4): no page is asked for
  std::uint64_t given_back_ = 0;
};

}  // namespace twinbox::vmm::virtio
