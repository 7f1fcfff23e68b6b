// What a guest without an operating system needs of its machine: ports, memory-mapped registers,
// text on the serial line, power.
#pragma once

#include <cstddef>
#include <cstdint>

#include "guest-images/bare-metal/platform.hpp"

namespace guest {

inline void out8(std::uint16_t port, std::uint8_t value) {
  asm volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

inline std::uint8_t in8(std::uint16_t port) {
  std::uint8_t value;
  asm volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
  return value;
}

inline std::uint32_t read32(std::uint64_t address) {
  return *reinterpret_cast<volatile std::uint32_t*>(address);
}

inline void write32(std::uint64_t address, std::uint32_t value) {
  *reinterpret_cast<volatile std::uint32_t*>(address) = value;
}

void print(const char* text);
void print_hex(std::uint64_t value);
// "NAME=0x1234\n"
void print_value(const char* name, std::uint64_t value);

[[noreturn]] void power_off();
[[noreturn]] void halt_forever();

// What the boot protocol, whichever it was, has told.
struct BootInfo {
  const char* protocol = "";
  const char* command_line = "";
  std::uint64_t initrd_start = 0;
  std::uint64_t initrd_size = 0;
  std::uint64_t rsdp = 0;
  std::uint64_t ram_bytes = 0;
};

// Runs what the command line's first word names. Returns when that is done.
void run_scenario(const BootInfo& boot);

// True when `text` begins with the word `word`.
bool first_word_is(const char* text, const char* word);

}  // namespace guest
