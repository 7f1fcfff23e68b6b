// One virtual machine of KVM: guest memory, interrupt controllers, doorbells.
#pragma once

#include <cstdint>

#include "base/fd.hpp"
#include "vmm/kvm/kvm.hpp"
#include "vmm/memory/guest_memory.hpp"
#include "vmm/memory/image_memory.hpp"

namespace twinbox::vmm::kvm {

class Vm {
 public:
  // Nothing is made yet. `kvm` is borrowed and must outlive it.
  explicit Vm(const Kvm& kvm) : kvm_(kvm) {}
  // Makes a VM with `memory` (borrowed too) as its RAM and KVM's own local APICs and IO-APIC. To be
  // called once, before all of the below.
  // `image`, which the guest can only read, lies beyond the RAM; null: none.
  void create(const GuestMemory& memory, const ImageMemory* image = nullptr);

  const Kvm& kvm() const { return kvm_; }
  int fd() const { return fd_.get(); }

  // An edge on the interrupt line `gsi`. On return the interrupt controllers have it. From any
  // thread.
  void interrupt(std::uint32_t gsi) const;
  // A guest's write of `value` (4 bytes) to the memory address signals `eventfd` and does not leave
  // KVM.
  void add_ioeventfd(std::uint64_t address, std::uint32_t value, int eventfd);

 private:
  void add_memory(const GuestMemory& memory, const ImageMemory* image);

  const Kvm& kvm_;
  base::Fd fd_;
};

}  // namespace twinbox::vmm::kvm
