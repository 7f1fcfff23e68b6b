// The keyboard controller's ports 0x60 to 0x64: no keyboard, only the pulse that resets the
// machine.
#pragma once

#include <cstdint>
#include <functional>

#include "vmm/devices/bus.hpp"

namespace twinbox::vmm {

class KeyboardController final : public BusDevice {
 public:
  static constexpr std::uint64_t range = 5;

  // Called in the vCPU's thread.
  explicit KeyboardController(std::function<void()> reset) : reset_(std::move(reset)) {}

  void read(std::uint64_t offset, std::span<std::byte> data) override;
  void write(std::uint64_t offset, std::span<const std::byte> data) override;

 private:
  std::function<void()> reset_;
};

}  // namespace twinbox::vmm
