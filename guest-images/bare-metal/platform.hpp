// The machine as its guest knows it. A guest is written to the machine's description, not to its
// source: the tests check that the two agree (tests/native/vmm/platform_test.cpp).
#pragma once

#include <cstdint>

namespace guest::platform {

inline constexpr std::uint64_t virtio_mmio = 0xd000'0000;
inline constexpr std::uint64_t virtio_mmio_stride = 0x1000;
inline constexpr std::uint64_t mark_register = 0xd100'0000;
inline constexpr std::uint64_t io_apic = 0xfec0'0000;
inline constexpr std::uint64_t local_apic = 0xfee0'0000;

inline constexpr std::uint32_t serial_gsi = 4;
inline constexpr std::uint16_t serial_port = 0x3f8;
inline constexpr std::uint16_t keyboard_command_port = 0x64;
inline constexpr std::uint16_t sleep_control_port = 0x600;
inline constexpr std::uint16_t reset_port = 0x604;

// Not the machine's: for tests that wire something of their own to them.
inline constexpr std::uint32_t test_gsi = 23;
inline constexpr std::uint64_t test_doorbell = 0xd200'0000;
inline constexpr std::uint32_t test_doorbell_value = 7;

}  // namespace guest::platform
