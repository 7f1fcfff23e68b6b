#include "vmm/devices/acpi_power.hpp"

#include <algorithm>

namespace twinbox::vmm {
namespace {

constexpr std::uint64_t sleep_control = 0;
constexpr std::uint64_t sleep_status = 1;
constexpr std::uint64_t reset_register = layout::reset_port - layout::sleep_control_port;

constexpr unsigned sleep_enable = 0x20;
constexpr unsigned sleep_type(unsigned control) { return control >> 2 & 7; }

}  // namespace

void AcpiPower::read(std::uint64_t offset, std::span<std::byte> data) {
  std::ranges::fill(data, std::byte{0xff});
  // No sleep is on its way, and none was woken from.
  const bool known = offset == sleep_control || offset == sleep_status || offset == reset_register;
  if (known && data.size() == 1) data[0] = std::byte{0};
}

void AcpiPower::write(std::uint64_t offset, std::span<const std::byte> data) {
  if (data.size() != 1) return;
  const auto value = std::to_integer<unsigned>(data[0]);
  if (offset == sleep_control && (value & sleep_enable) != 0 &&
      sleep_type(value) == s5_sleep_type) {
    shutdown_();
  }
  if (offset == reset_register && value == reset_value) reset_();
}

}  // namespace twinbox::vmm
