#include "vmm/kvm/entry_registers.hpp"

#include "vmm/layout.hpp"

namespace twinbox::vmm::kvm {
namespace {

constexpr std::uint64_t cr0_protected = 1U << 0;
constexpr std::uint64_t cr0_extension_type = 1U << 4;
constexpr std::uint64_t cr0_paging = 1U << 31;
constexpr std::uint64_t cr4_physical_address_extension = 1U << 5;
constexpr std::uint64_t efer_long_mode_enable = 1U << 8;
constexpr std::uint64_t efer_long_mode_active = 1U << 10;
constexpr std::uint64_t flags_always_one = 1U << 1;

kvm_segment flat_segment(std::uint16_t selector, std::uint8_t type) {
  kvm_segment segment{};
  segment.limit = 0xffff'ffff;
  segment.selector = selector;
  segment.type = type;
  segment.present = 1;
  segment.s = 1;
  segment.db = 1;
  segment.g = 1;
  return segment;
}

kvm_segment task_segment() {
  kvm_segment segment{};
  segment.limit = 0x67;
  segment.selector = boot::task_selector;
  segment.type = 0xb;  // busy
  segment.present = 1;
  return segment;
}

void set_segments(kvm_sregs& special, bool long_mode) {
  special.cs = flat_segment(long_mode ? boot::code64_selector : boot::code32_selector, 0xb);
  special.cs.l = long_mode ? 1 : 0;
  special.cs.db = long_mode ? 0 : 1;
  special.ds = special.es = special.ss = special.fs = special.gs =
      flat_segment(boot::data_selector, 0x3);
  special.tr = task_segment();
  special.gdt.base = layout::gdt;
  special.gdt.limit = boot::gdt_size - 1;
  // No table of its own yet: a limit that is not 0 tells it from one the guest has emptied in order
  // to reset by a triple fault.
  special.idt.base = 0;
  special.idt.limit = 0xffff;
}

void enable_long_mode(kvm_sregs& special) {
  special.cr3 = layout::page_tables;
  special.cr4 |= cr4_physical_address_extension;
  special.cr0 |= cr0_paging;
  special.efer |= efer_long_mode_enable | efer_long_mode_active;
}

}  // namespace

void set_entry_registers(Vcpu& vcpu, const boot::Entry& entry) {
  const bool long_mode = entry.protocol == boot::EntryProtocol::linux64;
  kvm_sregs special = vcpu.special_registers();
  special.cr0 = cr0_protected | cr0_extension_type;
  set_segments(special, long_mode);
  if (long_mode) enable_long_mode(special);
  vcpu.set_special_registers(special);

  kvm_regs general{};
  general.rflags = flags_always_one;
  general.rip = entry.address.value;
  (long_mode ? general.rsi : general.rbx) = entry.parameters.value;
  vcpu.set_registers(general);
}

}  // namespace twinbox::vmm::kvm
