#include "vmm/boot/acpi/tables.hpp"

#include <fmt/format.h>

#include <cstring>
#include <span>
#include <string>

#include "base/error.hpp"
#include "vmm/boot/acpi/aml.hpp"
#include "vmm/boot/acpi/table.hpp"
#include "vmm/layout.hpp"

namespace twinbox::vmm::boot::acpi {
namespace {

using Bytes = std::vector<std::byte>;

// FADT offsets and flags (5.2.9).
constexpr std::size_t fadt_size = 276;
constexpr std::size_t fadt_boot_architecture = 109;
constexpr std::size_t fadt_flags = 112;
constexpr std::size_t fadt_reset_register = 116;
constexpr std::size_t fadt_reset_value = 128;
constexpr std::size_t fadt_minor_version = 131;
constexpr std::size_t fadt_x_dsdt = 140;
constexpr std::size_t fadt_sleep_control = 244;
constexpr std::size_t fadt_sleep_status = 256;
constexpr std::uint32_t flag_wbinvd = 1U << 0;
constexpr std::uint32_t flag_no_power_button = 1U << 4;
constexpr std::uint32_t flag_no_sleep_button = 1U << 5;
constexpr std::uint32_t flag_reset_register = 1U << 10;
constexpr std::uint32_t flag_hardware_reduced = 1U << 20;
constexpr std::uint16_t boot_no_vga = 1U << 2;
// Without it Linux polls the CMOS clock at boot, which costs more than all of the rest.
constexpr std::uint16_t boot_no_cmos_clock = 1U << 5;

constexpr std::uint8_t reset_value = 0x06;  // see AcpiPower
constexpr std::uint32_t soft_off_sleep_type = 5;

// Keeps the tables apart; they want an alignment of 16 at most.
constexpr std::uint64_t alignment = 64;

aml::Code serial_device() {
  return aml::device(
      "COM1", {aml::name("_HID", aml::eisa_id("PNP0501")), aml::name("_UID", aml::integer(1)),
               aml::name("_CRS", aml::resources({aml::io_ports(layout::serial_port, 8),
                                                 aml::edge_interrupt(layout::serial_gsi)}))});
}

aml::Code virtio_device(unsigned slot) {
  const auto address = layout::virtio_mmio + slot * layout::virtio_mmio_stride;
  return aml::device(
      fmt::format("VR{:02}", slot),
      {aml::name("_HID", aml::string("LNRO0005")), aml::name("_UID", aml::integer(slot)),
       aml::name("_CCA", aml::integer(1)),
       aml::name("_CRS", aml::resources({aml::memory_range(static_cast<std::uint32_t>(address),
                                                           layout::virtio_mmio_stride),
                                         aml::edge_interrupt(layout::first_virtio_gsi + slot)}))});
}

// Places tables one after the other.
class Placer {
 public:
  explicit Placer(const GuestMemory& memory) : memory_(memory) {}

  GuestAddress place(const Bytes& table) {
    const GuestAddress address = next_;
    if (!memory_.write(address, table)) {
      throw base::Error(base::ErrorKind::internal, "the ACPI tables are outside of the memory");
    }
    next_.value += (table.size() + alignment - 1) / alignment * alignment;
    return address;
  }

 private:
  const GuestMemory& memory_;
  // The first slot is the root pointer's: Linux may also find it by searching from here.
  GuestAddress next_{root_pointer.value + alignment};
};

// The root pointer (5.2.5.3): a checksum over its first 20 bytes, and one over all 36.
Bytes rsdp(GuestAddress xsdt) {
  constexpr std::size_t first_part = 20;
  Bytes bytes(36);
  std::memcpy(bytes.data(), "RSD PTR ", 8);
  std::memcpy(bytes.data() + 9, "TWNBOX", 6);
  bytes[15] = std::byte{2};  // revision
  bytes[first_part] = std::byte{36};
  std::memcpy(bytes.data() + 24, &xsdt.value, sizeof xsdt.value);
  bytes[8] = std::byte{checksum(std::span(bytes).first(first_part))};
  bytes[32] = std::byte{checksum(bytes)};
  return bytes;
}

}  // namespace

Bytes dsdt(const Machine& machine) {
  std::vector<aml::Code> devices{serial_device()};
  for (unsigned slot = 0; slot < machine.virtio_devices; ++slot) {
    devices.push_back(virtio_device(slot));
  }
  Table table("DSDT", 2);
  table.append(aml::scope("\\_SB_", devices));
  const auto type = aml::integer(soft_off_sleep_type);
  const auto zero = aml::integer(0);
  table.append(aml::name("\\_S5_", aml::package({type, zero, zero, zero})));
  return table.finished();
}

Bytes madt(const Machine& machine) {
  Table table("APIC", 5);
  table.append(layout::local_apic, 4);
  table.append(0, 4);  // no pair of 8259s
  for (unsigned cpu = 0; cpu < machine.cpus; ++cpu) {
    table.append(0, 1);  // processor local APIC (5.2.12.2)
    table.append(8, 1);
    table.append(cpu, 1);  // processor UID
    table.append(cpu, 1);  // APIC id
    table.append(1, 4);    // enabled
  }
  table.append(1, 1);  // I/O APIC (5.2.12.3)
  table.append(12, 1);
  table.append(machine.cpus, 1);  // an id that no processor has
  table.append(0, 1);
  table.append(layout::io_apic, 4);
  table.append(0, 4);  // its first GSI
  table.append(4, 1);  // local APIC NMI (5.2.12.7)
  table.append(6, 1);
  table.append(0xff, 1);  // of all processors
  table.append(0, 2);
  table.append(1, 1);  // LINT1
  return table.finished();
}

Bytes fadt(GuestAddress dsdt_address) {
  Table table("FACP", 6);
  table.resize(fadt_size);
  table.put(fadt_boot_architecture, boot_no_vga | boot_no_cmos_clock, 2);
  table.put(fadt_flags,
            flag_wbinvd | flag_no_power_button | flag_no_sleep_button | flag_reset_register |
                flag_hardware_reduced,
            4);
  table.put_port(fadt_reset_register, layout::reset_port);
  table.put(fadt_reset_value, reset_value, 1);
  table.put(fadt_minor_version, 4, 1);
  table.put(fadt_x_dsdt, dsdt_address.value, 8);
  table.put_port(fadt_sleep_control, layout::sleep_control_port);
  table.put_port(fadt_sleep_status, layout::sleep_control_port + 1);
  return table.finished();
}

void write_tables(const Machine& machine, const GuestMemory& memory) {
  Placer placer(memory);
  const auto dsdt_address = placer.place(dsdt(machine));
  const auto fadt_address = placer.place(fadt(dsdt_address));
  const auto madt_address = placer.place(madt(machine));
  Table xsdt("XSDT", 1);
  xsdt.append(fadt_address.value, 8);
  xsdt.append(madt_address.value, 8);
  memory.write(root_pointer, rsdp(placer.place(xsdt.finished())));
}

}  // namespace twinbox::vmm::boot::acpi
