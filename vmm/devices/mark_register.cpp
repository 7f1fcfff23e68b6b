#include "vmm/devices/mark_register.hpp"

#include <algorithm>
#include <cstring>

namespace twinbox::vmm {

void MarkRegister::read(std::uint64_t offset, std::span<std::byte> data) {
  std::ranges::fill(data, std::byte{0xff});
  if (offset == 0 && data.size() == sizeof(magic)) std::memcpy(data.data(), &magic, sizeof(magic));
}

void MarkRegister::write(std::uint64_t offset, std::span<const std::byte> data) {
  const auto now = sandbox::Stamp::now();
  std::uint32_t mark = 0;
  if (offset != 0 || data.size() != sizeof(mark)) return;
  std::memcpy(&mark, data.data(), sizeof(mark));
  callback_(mark, now);
}

}  // namespace twinbox::vmm
