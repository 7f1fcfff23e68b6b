#include "vmm/boot/mp_table.hpp"

#include <cstddef>
#include <numeric>
#include <span>
#include <vector>

#include "base/error.hpp"
#include "vmm/boot/mp_table_abi.hpp"
#include "vmm/layout.hpp"

namespace twinbox::vmm::boot {
namespace {

constexpr std::uint32_t timer_line = 0;

// What makes all bytes sum up to zero (4.1, 4.2).
std::uint8_t checksum(std::span<const std::byte> bytes) {
  return std::accumulate(bytes.begin(), bytes.end(), std::uint8_t{0},
                         [](std::uint8_t sum, std::byte value) {
                           return static_cast<std::uint8_t>(sum - std::to_integer<int>(value));
                         });
}

template <typename T>
std::span<const std::byte> bytes_of(const T& object) {
  return std::as_bytes(std::span(&object, 1));
}

class Table {
 public:
  template <typename Entry>
  void add(const Entry& entry) {
    const auto bytes = bytes_of(entry);
    entries_.insert(entries_.end(), bytes.begin(), bytes.end());
    ++header_.entries;
  }

  std::vector<std::byte> finished() {
    header_.length = static_cast<std::uint16_t>(sizeof header_ + entries_.size());
    header_.local_apic = layout::local_apic;
    header_.checksum = static_cast<std::uint8_t>(checksum(bytes_of(header_)) + checksum(entries_));
    const auto header = bytes_of(header_);
    std::vector<std::byte> bytes(header.begin(), header.end());
    bytes.insert(bytes.end(), entries_.begin(), entries_.end());
    return bytes;
  }

 private:
  mp::TableHeader header_;
  std::vector<std::byte> entries_;
};

std::vector<std::uint32_t> lines_in_use(unsigned virtio_devices) {
  // Linux panics where the timer has no line, even if it needs none.
  std::vector<std::uint32_t> lines{timer_line, layout::serial_gsi};
  for (unsigned slot = 0; slot < virtio_devices; ++slot) {
    lines.push_back(layout::first_virtio_gsi + slot);
  }
  return lines;
}

// Entries are sorted by type (4.3).
std::vector<std::byte> make_table(unsigned cpus, unsigned virtio_devices) {
  Table table;
  for (unsigned cpu = 0; cpu < cpus; ++cpu) {
    const auto role = cpu == 0 ? mp::processor_boots : std::uint8_t{0};
    table.add(mp::Processor{.apic_id = static_cast<std::uint8_t>(cpu),
                            .flags = static_cast<std::uint8_t>(mp::processor_enabled | role)});
  }
  const auto io_apic = static_cast<std::uint8_t>(cpus);  // an id that no processor has
  table.add(mp::Bus{});
  table.add(mp::IoApic{.id = io_apic, .address = layout::io_apic});
  for (const auto number : lines_in_use(virtio_devices)) {
    const auto line = static_cast<std::uint8_t>(number);
    table.add(mp::Interrupt{.kind = mp::kind_vectored, .line = line, .apic = io_apic, .pin = line});
  }
  table.add(mp::Interrupt{
      .type = mp::local_interrupt, .kind = mp::kind_nmi, .apic = mp::all_local_apics, .pin = 1});
  return table.finished();
}

}  // namespace

void write_mp_table(unsigned cpus, unsigned virtio_devices, const GuestMemory& memory) {
  constexpr GuestAddress at{layout::mp_table};
  mp::FloatingPointer pointer;
  pointer.table = static_cast<std::uint32_t>(at.value + sizeof pointer);
  pointer.checksum = checksum(bytes_of(pointer));
  if (!memory.write_object(at, pointer) ||
      !memory.write(GuestAddress{pointer.table}, make_table(cpus, virtio_devices))) {
    throw base::Error(base::ErrorKind::internal, "the MP table is outside of the memory");
  }
}

}  // namespace twinbox::vmm::boot
