#include "vmm/snapshot/format.hpp"

#include <zlib.h>

namespace twinbox::vmm::snapshot {

std::uint32_t checksum(std::span<const std::byte> bytes) {
  return static_cast<std::uint32_t>(
      ::crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

std::uint32_t checksum(Header header) {
  header.header_checksum = 0;
  return checksum(std::as_bytes(std::span(&header, 1)));
}

}  // namespace twinbox::vmm::snapshot
