#include "vmm/devices/cmos.hpp"

#include <algorithm>
#include <utility>

namespace twinbox::vmm {
namespace {

constexpr std::uint8_t bcd(int value) {
  return static_cast<std::uint8_t>(value / 10 % 10 * 16 + value % 10);
}

}  // namespace

Cmos::Cmos(std::function<std::time_t()> clock) : clock_(std::move(clock)) {}

void Cmos::read(std::uint64_t offset, std::span<std::byte> data) {
  std::ranges::fill(data, std::byte{0xff});
  if (offset == 1 && data.size() == 1) data[0] = std::byte{value(index_)};
}

void Cmos::write(std::uint64_t offset, std::span<const std::byte> data) {
  // The highest bit of the index masks the NMI; writes to the clock itself are ignored.
  if (offset == 0 && data.size() == 1) index_ = std::to_integer<std::uint8_t>(data[0]) & 0x7f;
}

void Cmos::save(StateWriter& writer) {
  writer.section("clock chip");
  writer.put(index_.load());
}

void Cmos::restore(StateReader& reader) {
  reader.section("clock chip");
  index_ = reader.get<std::uint8_t>();
}

std::uint8_t Cmos::value(std::uint8_t index) const {
  const std::time_t now = clock_();
  std::tm utc{};
  ::gmtime_r(&now, &utc);
  switch (index) {
    case 0x00:
      return bcd(utc.tm_sec);
    case 0x02:
      return bcd(utc.tm_min);
    case 0x04:
      return bcd(utc.tm_hour);
    case 0x06:
      return bcd(utc.tm_wday + 1);
    case 0x07:
      return bcd(utc.tm_mday);
    case 0x08:
      return bcd(utc.tm_mon + 1);
    case 0x09:
      return bcd(utc.tm_year);
    case 0x0a:
      return 0x26;  // the usual divider and rate; no update in progress
    case 0x0b:
      return 0x02;  // BCD, 24 hours
    case 0x0d:
      return 0x80;  // the battery is good
    case century_register:
      return bcd((utc.tm_year + 1900) / 100);
    default:
      return 0;
  }
}

}  // namespace twinbox::vmm
