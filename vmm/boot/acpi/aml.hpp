// A small encoder of AML, the byte code of ACPI's DSDT (ACPI 6.4, chapter 20).
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>
#include <vector>

namespace twinbox::vmm::boot::aml {

// A piece of AML. Pieces nest by value:
//
//   scope("\\_SB_", {device("COM1", {name("_HID", eisa_id("PNP0501"))})})
using Code = std::vector<std::byte>;

Code scope(std::string_view path, const std::vector<Code>& terms);
Code device(std::string_view segment, const std::vector<Code>& terms);
Code name(std::string_view path, const Code& value);

Code integer(std::uint32_t value);
Code string(std::string_view text);
Code package(const std::vector<Code>& elements);
// The number that stands for a PNP id such as "PNP0501".
Code eisa_id(std::string_view id);

// Resource descriptors (chapter 6.4), to be wrapped by resources().
Code io_ports(std::uint16_t first, std::uint8_t count);
Code memory_range(std::uint32_t start, std::uint32_t size);
Code edge_interrupt(std::uint32_t gsi);
Code resources(const std::vector<Code>& descriptors);

// A length in front of what it counts, itself included (20.2.4). For `body_size` bytes after it.
Code package_length(std::size_t body_size);

}  // namespace twinbox::vmm::boot::aml
