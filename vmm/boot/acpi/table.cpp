#include "vmm/boot/acpi/table.hpp"

#include <algorithm>
#include <cstring>

namespace twinbox::vmm::boot::acpi {
namespace {

constexpr std::size_t header_size = 36;
constexpr std::size_t length_at = 4;
constexpr std::size_t revision_at = 8;
constexpr std::size_t checksum_at = 9;
constexpr std::size_t oem_at = 10;  // OEM id (6), OEM table id (8)
constexpr std::size_t oem_revision_at = 24;
constexpr std::size_t creator_at = 28;
constexpr std::size_t creator_revision_at = 32;
constexpr std::uint8_t address_space_io = 1;
constexpr std::uint8_t access_byte = 1;

}  // namespace

std::uint8_t checksum(std::span<const std::byte> bytes) {
  std::uint8_t sum = 0;
  for (const auto byte : bytes) sum = static_cast<std::uint8_t>(sum + std::to_integer<int>(byte));
  return static_cast<std::uint8_t>(-sum);
}

Table::Table(std::string_view signature, std::uint8_t revision) : bytes_(header_size) {
  std::memcpy(bytes_.data(), signature.data(), 4);
  put(revision_at, revision, 1);
  std::memcpy(bytes_.data() + oem_at, "TWNBOXTWINBOXVM", 14);
  put(oem_revision_at, 1, 4);
  std::memcpy(bytes_.data() + creator_at, "TWBX", 4);
  put(creator_revision_at, 1, 4);
}

void Table::append(std::uint64_t value, std::size_t bytes) {
  const std::size_t offset = bytes_.size();
  bytes_.resize(offset + bytes);
  put(offset, value, bytes);
}

void Table::append(std::span<const std::byte> bytes) {
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
}

void Table::put(std::size_t offset, std::uint64_t value, std::size_t bytes) {
  std::memcpy(bytes_.data() + offset, &value, bytes);  // both sides are little-endian
}

void Table::put_port(std::size_t offset, std::uint16_t port) {
  put(offset, address_space_io, 1);
  put(offset + 1, 8, 1);  // register width in bits
  put(offset + 3, access_byte, 1);
  put(offset + 4, port, 8);
}

std::vector<std::byte> Table::finished() const {
  Table copy = *this;
  copy.put(length_at, bytes_.size(), 4);
  copy.put(checksum_at, 0, 1);
  copy.put(checksum_at, checksum(copy.bytes_), 1);
  return copy.bytes_;
}

}  // namespace twinbox::vmm::boot::acpi
