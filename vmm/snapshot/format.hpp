// A snapshot's file: a header, the guest's memory with holes for its zeros, the state.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace twinbox::vmm::snapshot {

// To be raised with every change of the layout of the header, of any structure that is saved, and
// of their order.
inline constexpr std::uint32_t format_version = 2;
inline constexpr std::array<char, 8> magic{'T', 'W', 'I', 'N', 'S', 'N', 'A', 'P'};
// Of a huge page, so that a file system that has such can map them.
inline constexpr std::uint64_t memory_offset = 2U << 20;
// Of the file beside a snapshot that notes which one was found whole.
inline constexpr const char* checked_suffix = ".checked";
// Of the file beside a snapshot that notes what machines write soon after they went on from it.
inline constexpr const char* working_set_suffix = ".written";
// SNAPSHOT.PID.part is one that is being written, or was when its writer was killed.
inline constexpr const char* draft_suffix = ".part";

struct Header {
  std::array<char, 8> magic{};             // 0
  std::uint32_t version = 0;               // 8
  std::uint32_t header_checksum = 0;       // 12: of the header, this field being 0
  std::uint64_t memory_size = 0;           // 16
  std::uint64_t state_offset = 0;          // 24
  std::uint64_t state_size = 0;            // 32
  std::uint32_t state_checksum = 0;        // 40
  std::uint32_t cpus = 0;                  // 44
  std::array<char, 64> host_kernel{};      // 48: its release, which the layouts of KVM go by
  std::array<char, 16> monitor_version{};  // 112
};
static_assert(sizeof(Header) == 128);

// Bytes of the memory that are not all zero, in whole pages; the first thing in the state.
struct Extent {
  std::uint64_t offset = 0;  // of the memory
  std::uint32_t size = 0;
  std::uint32_t checksum = 0;
};
static_assert(sizeof(Extent) == 16);

// CRC-32, as zlib has it.
std::uint32_t checksum(std::span<const std::byte> bytes);
std::uint32_t checksum(Header header);

}  // namespace twinbox::vmm::snapshot
