#include "vmm/kvm/vm.hpp"

#include "vmm/kvm/ioctl.hpp"
#include "vmm/layout.hpp"

namespace twinbox::vmm::kvm {

void Vm::create(const GuestMemory& memory, const ImageMemory* image) {
  fd_ = base::Fd(checked_ioctl(kvm_.fd(), KVM_CREATE_VM, 0, "KVM_CREATE_VM"));
  // Both ranges are needed on Intel without unrestricted guests, and must be set before any vCPU.
  std::uint64_t identity_map = layout::kvm_identity_map;
  checked_ioctl(fd(), KVM_SET_IDENTITY_MAP_ADDR, &identity_map, "KVM_SET_IDENTITY_MAP_ADDR");
  checked_ioctl(fd(), KVM_SET_TSS_ADDR, layout::kvm_tss, "KVM_SET_TSS_ADDR");
  // Memory before anything else that changes the VM's tables: a new slot waits until all readers of
  // the old ones are gone, which takes milliseconds once such a change is under way.
  add_memory(memory, image);
  checked_ioctl(fd(), KVM_CREATE_IRQCHIP, 0, "KVM_CREATE_IRQCHIP");
}

void Vm::add_memory(const GuestMemory& memory, const ImageMemory* image) {
  kvm_userspace_memory_region range{};
  const auto add = [&](GuestAddress start, std::uint64_t size, const std::byte* host) {
    range.guest_phys_addr = start.value;
    range.memory_size = size;
    range.userspace_addr = reinterpret_cast<std::uint64_t>(host);
    checked_ioctl(fd(), KVM_SET_USER_MEMORY_REGION, &range, "KVM_SET_USER_MEMORY_REGION");
    ++range.slot;
  };
  for (const auto& region : memory.regions()) {
    add(region.start, region.size, memory.host_base() + region.host_offset);
  }
  if (image == nullptr) return;
  range.flags = KVM_MEM_READONLY;  // a write becomes an access to no device
  add(image->start(), image->size(), image->host_base());
}

// An irqfd would do so from a kernel thread, for an IO-APIC, and would cost the end of the machine
// a wait for each.
void Vm::interrupt(std::uint32_t gsi) const {
  for (const std::uint32_t level : {1U, 0U}) {
    kvm_irq_level line{};
    line.irq = gsi;
    line.level = level;
    checked_ioctl(fd(), KVM_IRQ_LINE, &line, "KVM_IRQ_LINE");
  }
}

void Vm::add_ioeventfd(std::uint64_t address, std::uint32_t value, int eventfd) {
  kvm_ioeventfd request{};
  request.datamatch = value;
  request.addr = address;
  request.len = sizeof value;
  request.fd = eventfd;
  request.flags = KVM_IOEVENTFD_FLAG_DATAMATCH;
  checked_ioctl(fd(), KVM_IOEVENTFD, &request, "KVM_IOEVENTFD");
}

}  // namespace twinbox::vmm::kvm
