// The PVH boot structures (Xen xen/include/public/arch-x86/hvm/start_info.h, version 1).
#pragma once

#include <cstdint>

namespace twinbox::vmm::boot::pvh {

inline constexpr std::uint32_t start_info_magic = 0x336e'c578;
inline constexpr std::uint32_t start_info_version = 1;

struct StartInfo {
  std::uint32_t magic;          // 0
  std::uint32_t version;        // 4
  std::uint32_t flags;          // 8
  std::uint32_t modules;        // 12
  std::uint64_t modules_at;     // 16
  std::uint64_t command_line;   // 24
  std::uint64_t rsdp;           // 32
  std::uint64_t memory_map;     // 40
  std::uint32_t memory_ranges;  // 48
  std::uint32_t reserved;       // 52
};
static_assert(sizeof(StartInfo) == 56);

struct Module {
  std::uint64_t address;       // 0
  std::uint64_t size;          // 8
  std::uint64_t command_line;  // 16
  std::uint64_t reserved;      // 24
};
static_assert(sizeof(Module) == 32);

struct MemoryRange {
  std::uint64_t start;     // 0
  std::uint64_t size;      // 8
  std::uint32_t type;      // 16
  std::uint32_t reserved;  // 20
};
static_assert(sizeof(MemoryRange) == 24);

}  // namespace twinbox::vmm::boot::pvh
