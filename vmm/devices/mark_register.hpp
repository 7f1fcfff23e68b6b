// A register that the guest writes mark numbers to; each is stamped with the host's clock.
#pragma once

#include <cstdint>
#include <functional>

#include "sandbox/stamp.hpp"
#include "vmm/devices/bus.hpp"

namespace twinbox::vmm {

class MarkRegister final : public BusDevice {
 public:
  // What the guest reads, to know that the register is there: "TWMK".
  static constexpr std::uint32_t magic = 0x4b4d5754;

  // Called in the vCPU's thread with the number written.
  using Callback = std::function<void(std::uint32_t mark, const sandbox::Stamp& stamp)>;
  explicit MarkRegister(Callback callback) : callback_(std::move(callback)) {}

  // One 32-bit register at offset 0.
  void read(std::uint64_t offset, std::span<std::byte> data) override;
  void write(std::uint64_t offset, std::span<const std::byte> data) override;

 private:
  Callback callback_;
};

}  // namespace twinbox::vmm
