// The CMOS clock at ports 0x70 and 0x71: the host's time of day, never in the middle of an update.
#pragma once

#include <atomic>
#include <cstdint>
#include <ctime>
#include <functional>

#include "vmm/devices/bus.hpp"

namespace twinbox::vmm {

class Cmos final : public BusDevice {
 public:
  static constexpr std::uint64_t range = 2;
  // The register of the century, for the FADT.
  static constexpr std::uint8_t century_register = 0x32;

  // The clock gives seconds since the epoch; the guest reads UTC.
  explicit Cmos(std::function<std::time_t()> clock = [] { return std::time(nullptr); });

  void read(std::uint64_t offset, std::span<std::byte> data) override;
  void write(std::uint64_t offset, std::span<const std::byte> data) override;
  void save(StateWriter& writer) override;
  void restore(StateReader& reader) override;

 private:
  std::uint8_t value(std::uint8_t index) const;

  std::function<std::time_t()> clock_;
  std::atomic<std::uint8_t> index_ = 0;
};

}  // namespace twinbox::vmm
