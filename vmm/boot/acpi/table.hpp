// Bytes of one ACPI table, with the header that all share (ACPI 6.4, 5.2.6).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace twinbox::vmm::boot::acpi {

class Table {
 public:
  // `signature` has four characters.
  Table(std::string_view signature, std::uint8_t revision);

  void append(std::uint64_t value, std::size_t bytes);
  void append(std::span<const std::byte> bytes);
  // Grows the table with zeros up to `size`, for fields that are written by offset.
  void resize(std::size_t size) { bytes_.resize(size); }
  void put(std::size_t offset, std::uint64_t value, std::size_t bytes);
  // A generic address structure of an 8-bit I/O port (5.2.3.2).
  void put_port(std::size_t offset, std::uint16_t port);

  // The whole table with its length and checksum filled in.
  std::vector<std::byte> finished() const;

 private:
  std::vector<std::byte> bytes_;
};

// What must be added so that all bytes sum up to zero.
std::uint8_t checksum(std::span<const std::byte> bytes);

}  // namespace twinbox::vmm::boot::acpi
