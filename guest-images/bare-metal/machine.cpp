#include "guest-images/bare-metal/machine.hpp"

namespace guest {
namespace {

constexpr std::uint8_t transmitter_empty = 0x20;
constexpr std::uint8_t sleep_enable = 0x20;
constexpr std::uint8_t soft_off = 5;

void put(char character) {
  while ((in8(platform::serial_port + 5) & transmitter_empty) == 0) {
  }
  out8(platform::serial_port, static_cast<std::uint8_t>(character));
}

}  // namespace

void print(const char* text) {
  while (*text != '\0') put(*text++);
}

void print_hex(std::uint64_t value) {
  print("0x");
  int shift = 60;
  while (shift > 0 && (value >> shift) == 0) shift -= 4;
  for (; shift >= 0; shift -= 4) put("0123456789abcdef"[(value >> shift) & 0xf]);
}

void print_value(const char* name, std::uint64_t value) {
  print(name);
  put('=');
  print_hex(value);
  put('\n');
}

void power_off() {
  out8(platform::sleep_control_port, soft_off << 2 | sleep_enable);
  halt_forever();
}

void halt_forever() {
  while (true) asm volatile("cli; hlt");
}

bool first_word_is(const char* text, const char* word) {
  while (*word != '\0' && *text == *word) {
    ++text;
    ++word;
  }
  return *word == '\0' && (*text == '\0' || *text == ' ');
}

}  // namespace guest
