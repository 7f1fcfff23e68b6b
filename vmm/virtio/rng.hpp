// The entropy device (virtio 1.2, 5.4): fills the guest's buffers from the host's getrandom.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "vmm/virtio/device.hpp"

namespace twinbox::vmm::virtio {

class Rng final : public VirtioDevice {
 public:
  // No request gets more, whatever the size of its buffers.
  static constexpr std::uint32_t max_request = 64 * 1024;

  std::uint32_t type() const override { return abi::type_rng; }
  std::uint64_t features() const override { return 0; }
  std::span<const std::uint16_t> queue_sizes() const override { return queue_sizes_; }

 private:
  void on_queue(std::uint16_t index) override;

  static constexpr std::array<std::uint16_t, 1> queue_sizes_{8};
};

}  // namespace twinbox::vmm::virtio
