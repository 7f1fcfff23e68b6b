// Every fixed address of the guest's machine.
#pragma once

#include <cstdint>

namespace twinbox::vmm::layout {

// RAM stops here and goes on at 4 GiB; devices live in between.
inline constexpr std::uint64_t gap_start = 0xc000'0000;
inline constexpr std::uint64_t gap_end = 0x1'0000'0000;

// The image's memory begins at the first multiple of this beyond RAM, and beyond the gap.
inline constexpr std::uint64_t image_alignment = 0x4000'0000;

// Boot structures, below the legacy hole.
inline constexpr std::uint64_t gdt = 0x500;
inline constexpr std::uint64_t pvh_start_info = 0x6000;
inline constexpr std::uint64_t zero_page = 0x7000;
inline constexpr std::uint64_t page_tables = 0x9000;
inline constexpr std::uint64_t command_line = 0x2'0000;
inline constexpr std::uint64_t command_line_size = 0x1'0000;
// Tables; reserved in the e820 map up to 1 MiB. Linux looks for the RSDP from 0xe0000.
inline constexpr std::uint64_t reserved_low = 0x9'fc00;
inline constexpr std::uint64_t mp_table = 0x9'fc00;
inline constexpr std::uint64_t acpi_tables = 0xe'0000;
inline constexpr std::uint64_t high_ram = 0x10'0000;

// Devices in the gap.
inline constexpr std::uint64_t virtio_mmio = 0xd000'0000;
inline constexpr std::uint64_t virtio_mmio_stride = 0x1000;
inline constexpr std::uint64_t mark_register = 0xd100'0000;
inline constexpr std::uint64_t mark_register_size = 0x1000;
inline constexpr std::uint64_t io_apic = 0xfec0'0000;
inline constexpr std::uint64_t local_apic = 0xfee0'0000;
// Three pages that KVM on Intel needs for itself, and the page of its identity map.
inline constexpr std::uint64_t kvm_tss = 0xfffb'd000;
inline constexpr std::uint64_t kvm_identity_map = 0xfffb'c000;

// Interrupt lines (GSIs of the IO-APIC).
inline constexpr std::uint32_t serial_gsi = 4;
inline constexpr std::uint32_t first_virtio_gsi = 5;
inline constexpr std::uint32_t gsi_count = 24;
inline constexpr std::uint32_t max_virtio_devices = gsi_count - first_virtio_gsi;

// I/O ports.
inline constexpr std::uint16_t serial_port = 0x3f8;
inline constexpr std::uint16_t cmos_port = 0x70;
inline constexpr std::uint16_t keyboard_port = 0x60;  // 0x64 takes the reset command
inline constexpr std::uint16_t sleep_control_port =
    0x600;                                          // ACPI sleep control and status registers
inline constexpr std::uint16_t reset_port = 0x604;  // ACPI reset register

}  // namespace twinbox::vmm::layout
