#include "qemu/lab/emulator_mend.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <array>
#include <filesystem>
#include <span>
#include <sstream>
#include <string>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/syscall.hpp"

namespace twinbox::qemu {
namespace {

constexpr int any = -1;

// helper_vmrun's delivery of an injected interrupt, as compiled for Debian: %rbx holds the
// processor's registers, the displacements are those of its fields.
constexpr std::array<int, 55> delivery{
    0x44, 0x89, 0xab, any, any,  any,  any,                       // mov %r13d, error_code
    0x89, 0xb3, any,  any, 0xff, 0xff,                            // mov %esi, exception_index
    0xc7, 0x83, any,  any, any,  any,  0,    0,   0,   0,         // movl $0, exception_is_int
    0x48, 0xc7, 0x83, any, any,  any,  any,  255, 255, 255, 255,  // movq $-1, exception_next_eip
    0xf6, 0x05, any,  any, any,  any,  0x02,                      // testb $2, the log's level
    0x0f, 0x85, any,  any, any,  any,                             // jne
    0xba, 1,    0,    0,   0,                                     // mov $1, %edx
    0x48, 0x89, 0xdf,                                             // mov %rbx, %rdi
};                                                                // call do_interrupt_x86_hardirq
constexpr std::size_t noting_offset = 7;
constexpr std::string_view long_nop("\x66\x0f\x1f\x44\x00\x00", noting_instruction_size);

bool delivers(std::string_view code) {
  for (std::size_t i = 0; i < delivery.size(); ++i) {
    if (delivery[i] != any && delivery[i] != static_cast<unsigned char>(code[i])) return false;
  }
  return true;
}

struct Mapping {
  std::uint64_t start = 0;
  std::uint64_t end = 0;
};

// Where `pid` has the code of its program.
Mapping code_of(pid_t pid) {
  const auto directory = std::filesystem::path("/proc") / std::to_string(pid);
  const auto program = std::filesystem::read_symlink(directory / "exe").string();
  std::istringstream lines(base::read_file(directory / "maps"));
  for (std::string line; std::getline(lines, line);) {
    if (line.find(" r-xp ") == std::string::npos || !line.ends_with(" " + program)) continue;
    const auto dash = line.find('-');
    return {std::stoull(line, nullptr, 16), std::stoull(line.substr(dash + 1), nullptr, 16)};
  }
  return {};
}

}  // namespace

std::optional<std::size_t> find_noting_instruction(std::string_view code) {
  std::optional<std::size_t> found;
  for (std::size_t i = 0; i + delivery.size() <= code.size(); ++i) {
    if (!delivers(code.substr(i))) continue;
    if (found) return std::nullopt;
    found = i + noting_offset;
  }
  return found;
}

bool mend_interrupts(pid_t pid) {
  try {
    const auto place = code_of(pid);
    const auto memory = base::open_file(fmt::format("/proc/{}/mem", pid), O_RDWR);
    std::string code(place.end - place.start, '\0');
    base::pread_exact(memory.get(), std::as_writable_bytes(std::span(code)), place.start);
    const auto at = find_noting_instruction(code);
    if (!at) return false;
    base::pwrite_all(memory.get(), std::as_bytes(std::span(long_nop)), place.start + *at);
    return true;
  } catch (const std::exception&) {
    return false;  // ended already, or not ours to write
  }
}

}  // namespace twinbox::qemu
