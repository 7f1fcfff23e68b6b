// The persistent memory device (virtio 1.2, 5.19): tells the guest where in its physical memory
// there are files, and grants its flushes.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "vmm/memory/guest_memory.hpp"
#include "vmm/virtio/device.hpp"

namespace twinbox::vmm::virtio {

// The memory itself is mapped by whoever makes the machine, for reading only: there is nothing that
// a flush would have to write.
class Pmem final : public VirtioDevice {
 public:
  Pmem(GuestAddress start, std::uint64_t size) : config_{.start = start.value, .size = size} {}

  std::uint32_t type() const override { return abi::type_pmem; }
  std::uint64_t features() const override { return 0; }
  std::span<const std::uint16_t> queue_sizes() const override { return queue_sizes_; }
  std::span<const std::byte> config() const override {
    return std::as_bytes(std::span(&config_, 1));
  }

 private:
  void on_queue(std::uint16_t index) override;
  // A guest that was saved knows the region by address and size.
  void on_save(StateWriter& writer) const override { writer.put(config_); }
  void on_restore(StateReader& reader) override;

  static constexpr std::array<std::uint16_t, 1> queue_sizes_{16};

  abi::pmem::Config config_{};
};

}  // namespace twinbox::vmm::virtio
