// Structures of the MP table (MultiProcessor Specification 1.4, chapter 4).
#pragma once

#include <array>
#include <cstdint>

namespace twinbox::vmm::boot::mp {

// 4.1
struct FloatingPointer {
  std::array<char, 4> signature{'_', 'M', 'P', '_'};
  std::uint32_t table = 0;  // its address
  std::uint8_t length = 1;  // of this structure, in 16 bytes
  std::uint8_t revision = 4;
  std::uint8_t checksum = 0;
  std::array<std::uint8_t, 5> features{};  // a table is there; no IMCR
};
static_assert(sizeof(FloatingPointer) == 16);

// 4.2
struct TableHeader {
  std::array<char, 4> signature{'P', 'C', 'M', 'P'};
  std::uint16_t length = 0;  // of the table with this header
  std::uint8_t revision = 4;
  std::uint8_t checksum = 0;
  std::array<char, 8> oem{'T', 'W', 'I', 'N', 'B', 'O', 'X', ' '};
  std::array<char, 12> product{'M', 'I', 'C', 'R', 'O', 'V', 'M', ' ', ' ', ' ', ' ', ' '};
  std::uint32_t oem_table = 0;
  std::uint16_t oem_table_size = 0;
  std::uint16_t entries = 0;
  std::uint32_t local_apic = 0;
  std::uint16_t extended_length = 0;
  std::uint8_t extended_checksum = 0;
  std::uint8_t reserved = 0;
};
static_assert(sizeof(TableHeader) == 44);

// 4.3.1
struct Processor {
  std::uint8_t type = 0;
  std::uint8_t apic_id = 0;
  std::uint8_t apic_version = 0x14;
  std::uint8_t flags = 0;
  std::uint32_t signature = 0;  // kernels ask CPUID
  std::uint32_t features = 0;
  std::array<std::uint32_t, 2> reserved{};
};
static_assert(sizeof(Processor) == 20);
inline constexpr std::uint8_t processor_enabled = 1;
inline constexpr std::uint8_t processor_boots = 2;

// 4.3.2
struct Bus {
  std::uint8_t type = 1;
  std::uint8_t id = 0;
  std::array<char, 6> name{'I', 'S', 'A', ' ', ' ', ' '};
};
static_assert(sizeof(Bus) == 8);

// 4.3.3
struct IoApic {
  std::uint8_t type = 2;
  std::uint8_t id = 0;
  std::uint8_t version = 0x11;
  std::uint8_t flags = 1;  // usable
  std::uint32_t address = 0;
};
static_assert(sizeof(IoApic) == 8);

// 4.3.4 and 4.3.5: an I/O interrupt, or a local one.
struct Interrupt {
  std::uint8_t type = 3;
  std::uint8_t kind = 0;
  std::uint16_t flags = 0;  // as its bus has it: ISA's are edges, active high
  std::uint8_t bus = 0;
  std::uint8_t line = 0;  // of the bus
  std::uint8_t apic = 0;
  std::uint8_t pin = 0;
};
static_assert(sizeof(Interrupt) == 8);
inline constexpr std::uint8_t local_interrupt = 4;
inline constexpr std::uint8_t kind_vectored = 0;
inline constexpr std::uint8_t kind_nmi = 1;
inline constexpr std::uint8_t all_local_apics = 0xff;

}  // namespace twinbox::vmm::boot::mp
