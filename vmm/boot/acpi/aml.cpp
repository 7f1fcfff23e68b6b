#include "vmm/boot/acpi/aml.hpp"

namespace twinbox::vmm::boot::aml {
namespace {

// Opcodes (20.3).
constexpr std::uint8_t name_op = 0x08;
constexpr std::uint8_t byte_prefix = 0x0a;
constexpr std::uint8_t word_prefix = 0x0b;
constexpr std::uint8_t dword_prefix = 0x0c;
constexpr std::uint8_t string_prefix = 0x0d;
constexpr std::uint8_t scope_op = 0x10;
constexpr std::uint8_t buffer_op = 0x11;
constexpr std::uint8_t package_op = 0x12;
constexpr std::uint8_t extended_prefix = 0x5b;
constexpr std::uint8_t device_op = 0x82;

void append(Code& code, std::uint64_t value, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; ++i) {
    code.push_back(static_cast<std::byte>(value >> (8 * i)));
  }
}

void append(Code& code, const Code& more) { code.insert(code.end(), more.begin(), more.end()); }

void append(Code& code, std::string_view text) {
  for (const char c : text) code.push_back(static_cast<std::byte>(c));
}

Code bytes(std::initializer_list<std::uint8_t> values) {
  Code code;
  for (const auto value : values) append(code, value, 1);
  return code;
}

Code joined(const std::vector<Code>& parts) {
  Code code;
  for (const auto& part : parts) append(code, part);
  return code;
}

// "OP, length, body".
Code block(Code op, const Code& body) {
  append(op, package_length(body.size()));
  append(op, body);
  return op;
}

Code named_block(Code op, std::string_view path, const std::vector<Code>& terms) {
  Code body;
  append(body, path);
  append(body, joined(terms));
  return block(std::move(op), body);
}

std::uint32_t hex_digit(char c) {
  return static_cast<std::uint32_t>(c <= '9' ? c - '0' : c - 'A' + 10);
}

}  // namespace

Code package_length(std::size_t body_size) {
  Code code;
  if (body_size + 1 < 0x40) {
    append(code, body_size + 1, 1);
    return code;
  }
  // The first byte holds the number of those that follow, and the low four bits.
  std::size_t following = 1;
  while (body_size + 1 + following >= std::size_t{1} << (4 + 8 * following)) ++following;
  const std::size_t length = body_size + 1 + following;
  append(code, following << 6 | (length & 0xf), 1);
  append(code, length >> 4, following);
  return code;
}

Code scope(std::string_view path, const std::vector<Code>& terms) {
  return named_block(bytes({scope_op}), path, terms);
}

Code device(std::string_view segment, const std::vector<Code>& terms) {
  return named_block(bytes({extended_prefix, device_op}), segment, terms);
}

Code name(std::string_view path, const Code& value) {
  Code code = bytes({name_op});
  append(code, path);
  append(code, value);
  return code;
}

Code integer(std::uint32_t value) {
  if (value <= 1) return bytes({static_cast<std::uint8_t>(value)});  // ZeroOp and OneOp
  const std::size_t size = value <= 0xff ? 1 : value <= 0xffff ? 2 : 4;
  Code code = bytes({size == 1 ? byte_prefix : size == 2 ? word_prefix : dword_prefix});
  append(code, value, size);
  return code;
}

Code string(std::string_view text) {
  Code code = bytes({string_prefix});
  append(code, text);
  append(code, 0, 1);
  return code;
}

Code package(const std::vector<Code>& elements) {
  Code body = bytes({static_cast<std::uint8_t>(elements.size())});
  append(body, joined(elements));
  return block(bytes({package_op}), body);
}

// Three letters of five bits and four hexadecimal digits, most significant byte first (19.3.4).
Code eisa_id(std::string_view id) {
  std::uint32_t value = 0;
  for (const char letter : id.substr(0, 3)) {
    value = value << 5 | static_cast<std::uint32_t>(letter - 0x40);
  }
  for (const char digit : id.substr(3, 4)) value = value << 4 | hex_digit(digit);
  Code code = bytes({dword_prefix});
  append(code, __builtin_bswap32(value), 4);
  return code;
}

Code io_ports(std::uint16_t first, std::uint8_t count) {
  Code code = bytes({0x47, 0x01});  // I/O port descriptor, 16-bit decode
  append(code, first, 2);
  append(code, first, 2);
  append(code, 1, 1);  // alignment
  append(code, count, 1);
  return code;
}

Code memory_range(std::uint32_t start, std::uint32_t size) {
  Code code = bytes({0x86, 0x09, 0x00, 0x01});  // 32-bit fixed memory range, writeable
  append(code, start, 4);
  append(code, size, 4);
  return code;
}

Code edge_interrupt(std::uint32_t gsi) {
  // Extended interrupt descriptor: consumer, edge-triggered, active high, exclusive; one of them.
  Code code = bytes({0x89, 0x06, 0x00, 0x03, 0x01});
  append(code, gsi, 4);
  return code;
}

Code resources(const std::vector<Code>& descriptors) {
  Code list = joined(descriptors);
  append(list, bytes({0x79, 0x00}));  // end tag
  Code body = integer(static_cast<std::uint32_t>(list.size()));
  append(body, list);
  return block(bytes({buffer_op}), body);
}

}  // namespace twinbox::vmm::boot::aml
