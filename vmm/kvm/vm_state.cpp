#include "vmm/kvm/vm_state.hpp"

#include "vmm/kvm/ioctl.hpp"

namespace twinbox::vmm::kvm {
namespace {

constexpr std::array<std::uint32_t, 3> chips{KVM_IRQCHIP_PIC_MASTER, KVM_IRQCHIP_PIC_SLAVE,
                                             KVM_IRQCHIP_IOAPIC};

}  // namespace

void save_vm(StateWriter& writer, const Vm& vm) {
  writer.section("interrupt controllers and clock");
  for (const auto id : chips) {
    kvm_irqchip chip{};
    chip.chip_id = id;
    checked_ioctl(vm.fd(), KVM_GET_IRQCHIP, &chip, "KVM_GET_IRQCHIP");
    writer.put(chip);
  }
  kvm_clock_data clock{};
  checked_ioctl(vm.fd(), KVM_GET_CLOCK, &clock, "KVM_GET_CLOCK");
  writer.put(clock);
}

void restore_vm(StateReader& reader, const Vm& vm) {
  reader.section("interrupt controllers and clock");
  for (std::size_t i = 0; i < chips.size(); ++i) {
    auto chip = reader.get<kvm_irqchip>();
    checked_ioctl(vm.fd(), KVM_SET_IRQCHIP, &chip, "KVM_SET_IRQCHIP");
  }
  // Only the time itself: the guest's clock goes on from where it stood.
  kvm_clock_data clock{};
  clock.clock = reader.get<kvm_clock_data>().clock;
  checked_ioctl(vm.fd(), KVM_SET_CLOCK, &clock, "KVM_SET_CLOCK");
}

}  // namespace twinbox::vmm::kvm
