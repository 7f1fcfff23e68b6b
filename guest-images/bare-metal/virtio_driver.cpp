#include "guest-images/bare-metal/virtio_driver.hpp"

#include "guest-images/bare-metal/machine.hpp"

namespace guest {
namespace {

// Registers (4.2.2) and status bits (2.1).
enum Register : std::uint32_t {
  magic = 0x00,
  version = 0x04,
  device_id = 0x08,
  device_features = 0x10,
  device_features_select = 0x14,
  driver_features = 0x20,
  driver_features_select = 0x24,
  queue_select = 0x30,
  queue_size_max = 0x34,
  queue_size = 0x38,
  queue_ready = 0x44,
  queue_notify = 0x50,
  status = 0x70,
  queue_descriptors = 0x80,
  queue_available = 0x90,
  queue_used = 0xa0,
};
constexpr std::uint32_t acknowledge = 1;
constexpr std::uint32_t driver = 2;
constexpr std::uint32_t driver_ok = 4;
constexpr std::uint32_t features_ok = 8;
constexpr std::uint32_t needs_reset = 64;

constexpr std::uint32_t magic_value = 0x7472'6976;
constexpr std::uint32_t type_block = 2;
constexpr std::uint32_t type_entropy = 4;
constexpr std::uint32_t slots = 16;
constexpr std::uint16_t ring_size = 4;
constexpr std::uint16_t flag_next = 1;
constexpr std::uint16_t flag_write = 2;
// Some of the accesses wait for the monitor; a device that never answers must not look like one
// that is slow.
constexpr std::uint64_t patience = 30'000'000;

struct Descriptor {
  std::uint64_t address;
  std::uint32_t length;
  std::uint16_t flags;
  std::uint16_t next;
};

// A split virtqueue (2.7) in the guest's own memory.
struct Ring {
  alignas(16) Descriptor descriptors[ring_size];
  struct {
    std::uint16_t flags, index, ring[ring_size];
  } available;
  alignas(4) struct {
    std::uint16_t flags, index;
    struct {
      std::uint32_t id, length;
    } ring[ring_size];
  } used;
};

volatile Ring ring;
std::uint8_t buffer[32];

class Device {
 public:
  explicit Device(std::uint32_t slot)
      : base_(platform::virtio_mmio + slot * platform::virtio_mmio_stride) {}

  std::uint32_t get(Register which) const { return read32(base_ + which); }
  void set(Register which, std::uint32_t value) const { write32(base_ + which, value); }
  bool present() const { return get(magic) == magic_value && get(device_id) != 0; }

  // Up to FEATURES_OK, with VERSION_1 (bit 32) alone.
  void negotiate() const {
    set(status, 0);
    set(status, acknowledge);
    set(status, acknowledge | driver);
    set(driver_features_select, 1);
    set(driver_features, 1);
    set(driver_features_select, 0);
    set(driver_features, 0);
    set(status, acknowledge | driver | features_ok);
  }

  void set_up_queue() const {
    set(queue_select, 0);
    set(queue_size, ring_size);
    set_address(queue_descriptors, ring.descriptors);
    set_address(queue_available, &ring.available);
    set_address(queue_used, &ring.used);
    set(queue_ready, 1);
  }

  void start() const {
    for (std::size_t i = 0; i < sizeof ring; ++i) {
      reinterpret_cast<volatile std::uint8_t*>(&ring)[i] = 0;
    }
    negotiate();
    set_up_queue();
    set(status, acknowledge | driver | features_ok | driver_ok);
  }

  // Offers the chain that begins with descriptor `head`.
  void offer(std::uint16_t head) const {
    const std::uint16_t index = ring.available.index;
    ring.available.ring[index % ring_size] = head;
    asm volatile("" : : : "memory");  // x86 keeps the order of stores; the compiler must, too
    ring.available.index = static_cast<std::uint16_t>(index + 1);
    set(queue_notify, 0);
  }

 private:
  void set_address(Register which, const volatile void* address) const {
    const auto value = reinterpret_cast<std::uint64_t>(address);
    set(which, static_cast<std::uint32_t>(value));
    write32(base_ + which + 4, static_cast<std::uint32_t>(value >> 32));
  }

  std::uint64_t base_;
};

void describe(std::uint16_t index, const volatile void* address, std::uint32_t length,
              std::uint16_t flags, std::uint16_t next = 0) {
  ring.descriptors[index].address = reinterpret_cast<std::uint64_t>(address);
  ring.descriptors[index].length = length;
  ring.descriptors[index].flags = flags;
  ring.descriptors[index].next = next;
}

Device first_device(std::uint32_t type) {
  for (std::uint32_t slot = 0; slot < slots; ++slot) {
    const Device device(slot);
    if (device.present() && device.get(device_id) == type) return device;
  }
  print_value("no device of type", type);
  power_off();
}

Device entropy_device() { return first_device(type_entropy); }

// Waits until the device has used a buffer or given up.
void wait_for(const Device& device, std::uint16_t used_index) {
  for (std::uint64_t turn = 0; turn < patience; ++turn) {
    if (ring.used.index == used_index) return;
    if (turn % 1024 == 0 && (device.get(status) & needs_reset) != 0) return;
  }
  print("the device does not answer\n");
}

void report(const char* what, const Device& device) {
  print(what);
  print(": ");
  print_value("used", ring.used.index);
  print_value("needs reset", (device.get(status) & needs_reset) != 0 ? 1 : 0);
}

constexpr std::uint32_t sector_size = 512;

struct BlockHeader {  // 5.2.6
  std::uint32_t type, reserved;
  std::uint64_t sector;
};

// One request for a sector, of a block device whose chains are all alike. False when it failed.
bool transfer(const Device& device, bool write, std::uint64_t sector,
              volatile std::uint64_t* data) {
  static volatile BlockHeader header;
  static volatile std::uint8_t result;
  header.type = write ? 1 : 0;
  header.sector = sector;
  result = 0xff;
  describe(0, &header, sizeof header, flag_next, 1);
  describe(1, data, sector_size, static_cast<std::uint16_t>(flag_next | (write ? 0 : flag_write)),
           2);
  describe(2, &result, 1, flag_write);
  const auto used = static_cast<std::uint16_t>(ring.used.index + 1);
  device.offer(0);
  wait_for(device, used);
  return ring.used.index == used && result == 0;
}

}  // namespace

void virtio_disk_load(void (*each_turn)()) {
  constexpr std::uint64_t sectors = 64;
  constexpr std::uint32_t words = sector_size / sizeof(std::uint64_t);
  static volatile std::uint64_t data[words];
  const Device device = first_device(type_block);
  device.start();
  for (std::uint64_t turn = 1;; ++turn) {
    for (std::uint32_t i = 0; i < words; ++i) data[i] = turn + i;
    if (!transfer(device, true, turn % sectors, data)) return print("a write failed\n");
    for (std::uint32_t i = 0; i < words; ++i) data[i] = 0;
    if (!transfer(device, false, turn % sectors, data)) return print("a read failed\n");
    for (std::uint32_t i = 0; i < words; ++i) {
      if (data[i] != turn + i) return print_value("wrong on the disk", data[i]);
    }
    each_turn();
  }
}

void virtio_probe() {
  for (std::uint32_t slot = 0; slot < slots; ++slot) {
    const Device device(slot);
    if (!device.present()) continue;
    print_value("slot", slot);
    print_value("version", device.get(version));
    print_value("type", device.get(device_id));
  }
}

void virtio_entropy() {
  const Device device = entropy_device();
  device.start();
  describe(0, buffer, sizeof buffer, flag_write);
  device.offer(0);
  wait_for(device, 1);
  report("entropy", device);
  print_value("bytes", ring.used.ring[0].length);
  std::uint8_t any = 0;
  for (const std::uint8_t byte : buffer) any |= byte;
  print_value("all zero", any == 0 ? 1 : 0);
}

void virtio_status() {
  const Device device = entropy_device();
  device.set(status, 0);
  print_value("after reset", device.get(status));
  device.negotiate();
  print_value("after negotiation", device.get(status));
  device.set_up_queue();
  device.set(status, acknowledge | driver | features_ok | driver_ok);
  print_value("running", device.get(status));
  device.set(queue_size, 1);
  device.set(status, acknowledge);  // a bit may be cleared by a reset only
  print_value("still running", device.get(status));
  device.set(queue_select, 1000);
  print_value("size of a queue that is not there", device.get(queue_size_max));
  device.set(status, 0);
  print_value("after second reset", device.get(status));
}

void virtio_bad_descriptor() {
  const Device device = entropy_device();

  device.start();
  describe(0, reinterpret_cast<void*>(0x7fff'ffff'f000), 32, flag_write);
  device.offer(0);
  wait_for(device, 1);
  report("buffer outside of memory", device);

  device.start();
  describe(0, buffer, 8, flag_write | flag_next, 1);
  describe(1, buffer, 8, flag_write | flag_next, 0);
  device.offer(0);
  wait_for(device, 1);
  report("chain without an end", device);

  device.start();
  device.offer(ring_size + 100);
  wait_for(device, 1);
  report("head outside of the queue", device);

  device.start();
  describe(0, buffer, sizeof buffer, flag_write);
  device.offer(0);
  wait_for(device, 1);
  report("after a reset", device);
}

}  // namespace guest
