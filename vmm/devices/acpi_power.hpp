// ACPI's hardware-reduced sleep registers and its reset register (ACPI 6.4, 4.8.3.7 and 4.8.3.6).
#pragma once

#include <cstdint>
#include <functional>

#include "vmm/devices/bus.hpp"
#include "vmm/layout.hpp"

namespace twinbox::vmm {

// Place it at layout::sleep_control_port.
class AcpiPower final : public BusDevice {
 public:
  // Sleep control at offset 0, sleep status at 1, reset at 4.
  static constexpr std::uint64_t range = layout::reset_port - layout::sleep_control_port + 1;
  static constexpr std::uint16_t sleep_status_port = layout::sleep_control_port + 1;
  // What the tables must say: the SLP_TYP of \_S5_, and the FADT's RESET_VALUE.
  static constexpr std::uint8_t s5_sleep_type = 5;
  static constexpr std::uint8_t reset_value = 0x06;

  // Both are called in the vCPU's thread.
  AcpiPower(std::function<void()> shutdown, std::function<void()> reset)
      : shutdown_(std::move(shutdown)), reset_(std::move(reset)) {}

  void read(std::uint64_t offset, std::span<std::byte> data) override;
  void write(std::uint64_t offset, std::span<const std::byte> data) override;

 private:
  std::function<void()> shutdown_;
  std::function<void()> reset_;
};

}  // namespace twinbox::vmm
