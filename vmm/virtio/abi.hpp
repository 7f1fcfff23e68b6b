// The wire structures and constants of virtio 1.2, as the guest's driver sees them.
#pragma once

#include <cstddef>
#include <cstdint>

namespace twinbox::vmm::virtio::abi {

// Device types (5).
inline constexpr std::uint32_t type_block = 2;
inline constexpr std::uint32_t type_console = 3;
inline constexpr std::uint32_t type_rng = 4;
inline constexpr std::uint32_t type_balloon = 5;
inline constexpr std::uint32_t type_pmem = 27;

// Device status bits (2.1).
inline constexpr std::uint32_t status_acknowledge = 1;
inline constexpr std::uint32_t status_driver = 2;
inline constexpr std::uint32_t status_driver_ok = 4;
inline constexpr std::uint32_t status_features_ok = 8;
inline constexpr std::uint32_t status_needs_reset = 64;
inline constexpr std::uint32_t status_failed = 128;

// Feature bits that belong to no device type (6).
inline constexpr std::uint64_t feature_indirect = 1ULL << 28;
inline constexpr std::uint64_t feature_event_index = 1ULL << 29;
inline constexpr std::uint64_t feature_version_1 = 1ULL << 32;

// Feature bits of the balloon (5.5.3).
inline constexpr std::uint64_t balloon_feature_deflate_on_oom = 1ULL << 2;
inline constexpr std::uint64_t balloon_feature_reporting = 1ULL << 5;

// The registers of virtio-mmio (4.2.2), by offset.
namespace mmio {
inline constexpr std::uint32_t magic_value = 0x74726976;  // "virt"
inline constexpr std::uint32_t version_value = 2;

inline constexpr std::uint64_t magic = 0x000;
inline constexpr std::uint64_t version = 0x004;
inline constexpr std::uint64_t device_id = 0x008;
inline constexpr std::uint64_t vendor_id = 0x00c;
inline constexpr std::uint64_t device_features = 0x010;
inline constexpr std::uint64_t device_features_select = 0x014;
inline constexpr std::uint64_t driver_features = 0x020;
inline constexpr std::uint64_t driver_features_select = 0x024;
inline constexpr std::uint64_t queue_select = 0x030;
inline constexpr std::uint64_t queue_size_max = 0x034;
inline constexpr std::uint64_t queue_size = 0x038;
inline constexpr std::uint64_t queue_ready = 0x044;
inline constexpr std::uint64_t queue_notify = 0x050;
inline constexpr std::uint64_t interrupt_status = 0x060;
inline constexpr std::uint64_t interrupt_acknowledge = 0x064;
inline constexpr std::uint64_t status = 0x070;
inline constexpr std::uint64_t queue_descriptors_low = 0x080;
inline constexpr std::uint64_t queue_descriptors_high = 0x084;
inline constexpr std::uint64_t queue_available_low = 0x090;
inline constexpr std::uint64_t queue_available_high = 0x094;
inline constexpr std::uint64_t queue_used_low = 0x0a0;
inline constexpr std::uint64_t queue_used_high = 0x0a4;
inline constexpr std::uint64_t config_generation = 0x0fc;
inline constexpr std::uint64_t config = 0x100;

inline constexpr std::uint32_t interrupt_used_buffer = 1;
inline constexpr std::uint32_t interrupt_config_change = 2;
}  // namespace mmio

// The split virtqueue (2.7).
inline constexpr std::uint16_t max_queue_size = 32768;

struct Descriptor {       // 2.7.5
  std::uint64_t address;  // 0
  std::uint32_t length;   // 8
  std::uint16_t flags;    // 12
  std::uint16_t next;     // 14
};
static_assert(sizeof(Descriptor) == 16 && offsetof(Descriptor, next) == 14);

inline constexpr std::uint16_t descriptor_next = 1;
inline constexpr std::uint16_t descriptor_write = 2;
inline constexpr std::uint16_t descriptor_indirect = 4;

// The available ring (2.7.6): u16 flags, u16 index, u16 ring[size], u16 used_event.
inline constexpr std::uint16_t available_no_interrupt = 1;
inline constexpr std::size_t available_index_offset = 2;
inline constexpr std::size_t available_ring_offset = 4;
constexpr std::size_t available_size(std::size_t queue_size) { return 6 + 2 * queue_size; }

// The used ring (2.7.8): u16 flags, u16 index, UsedElement ring[size], u16 avail_event.
struct UsedElement {
  std::uint32_t id;      // 0
  std::uint32_t length;  // 4
};
static_assert(sizeof(UsedElement) == 8 && offsetof(UsedElement, length) == 4);

inline constexpr std::uint16_t used_no_notify = 1;
inline constexpr std::size_t used_index_offset = 2;
inline constexpr std::size_t used_ring_offset = 4;
constexpr std::size_t used_size(std::size_t queue_size) { return 6 + 8 * queue_size; }

// Block device (5.2).
namespace block {
inline constexpr std::uint64_t feature_segment_max = 1ULL << 2;
inline constexpr std::uint64_t feature_read_only = 1ULL << 5;
inline constexpr std::uint64_t feature_flush = 1ULL << 9;

inline constexpr std::uint64_t sector_size = 512;

struct Config {               // 5.2.4, as far as we offer
  std::uint64_t capacity;     // 0, in sectors
  std::uint32_t size_max;     // 8
  std::uint32_t segment_max;  // 12
};
static_assert(sizeof(Config) == 16 && offsetof(Config, segment_max) == 12);

struct RequestHeader {     // 5.2.6
  std::uint32_t type;      // 0
  std::uint32_t reserved;  // 4
  std::uint64_t sector;    // 8
};
static_assert(sizeof(RequestHeader) == 16 && offsetof(RequestHeader, sector) == 8);

inline constexpr std::uint32_t request_in = 0;
inline constexpr std::uint32_t request_out = 1;
inline constexpr std::uint32_t request_flush = 4;
inline constexpr std::uint32_t request_get_id = 8;
inline constexpr std::size_t id_size = 20;

inline constexpr std::uint8_t status_ok = 0;
inline constexpr std::uint8_t status_io_error = 1;
inline constexpr std::uint8_t status_unsupported = 2;
}  // namespace block

// Console device (5.3).
namespace console {
inline constexpr std::uint64_t feature_multiport = 1ULL << 1;

struct Config {                   // 5.3.4
  std::uint16_t columns;          // 0
  std::uint16_t rows;             // 2
  std::uint32_t max_ports;        // 4
  std::uint32_t emergency_write;  // 8
};
static_assert(sizeof(Config) == 12 && offsetof(Config, max_ports) == 4);

struct Control {        // 5.3.6.2
  std::uint32_t port;   // 0
  std::uint16_t event;  // 4
  std::uint16_t value;  // 6
};
static_assert(sizeof(Control) == 8 && offsetof(Control, value) == 6);

inline constexpr std::uint16_t device_ready = 0;
inline constexpr std::uint16_t port_add = 1;
inline constexpr std::uint16_t port_remove = 2;
inline constexpr std::uint16_t port_ready = 3;
inline constexpr std::uint16_t console_port = 4;
inline constexpr std::uint16_t resize = 5;
inline constexpr std::uint16_t port_open = 6;
inline constexpr std::uint16_t port_name = 7;

// Queues (5.3.2): a port's receive queue, then its transmit queue; the control pair comes second.
inline constexpr std::uint16_t control_receive_queue = 2;
inline constexpr std::uint16_t control_transmit_queue = 3;
}  // namespace console

// Persistent memory device (5.19).
namespace pmem {
struct Config {         // 5.19.4
  std::uint64_t start;  // 0, a guest physical address
  std::uint64_t size;   // 8, in bytes
};
static_assert(sizeof(Config) == 16 && offsetof(Config, size) == 8);

struct Request {       // 5.19.6
  std::uint32_t type;  // 0
};
static_assert(sizeof(Request) == 4);

struct Response {     // 5.19.6
  std::uint32_t ret;  // 0
};
static_assert(sizeof(Response) == 4);

inline constexpr std::uint32_t request_flush = 0;
inline constexpr std::uint32_t status_ok = 0;
inline constexpr std::uint32_t status_failed = 0xffff'ffff;
}  // namespace pmem

}  // namespace twinbox::vmm::virtio::abi
