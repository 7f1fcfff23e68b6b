#include "vmm/kvm/vcpu.hpp"

#include <sys/mman.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <utility>

#include "vmm/kvm/ioctl.hpp"
#include "vmm/kvm/list_argument.hpp"

namespace twinbox::vmm::kvm {
namespace {

// Intel SDM 4, table 2-2.
constexpr std::uint32_t msr_misc_enable = 0x1a0;
constexpr std::uint64_t misc_enable_fast_string = 1;
constexpr std::uint32_t msr_mtrr_default_type = 0x2ff;
constexpr std::uint64_t mtrr_enabled_write_back = (1U << 11) | 6U;

// Local vector table entries of the local APIC (SDM 3A 11.5.1).
constexpr std::size_t apic_lint0 = 0x350;
constexpr std::size_t apic_lint1 = 0x360;
constexpr std::uint32_t delivery_nmi = 0x400;
constexpr std::uint32_t masked = 0x1'0000;

void set_local_vector(kvm_lapic_state& apic, std::size_t entry, std::uint32_t value) {
  std::memcpy(apic.regs + entry, &value, sizeof value);
}

}  // namespace

Vcpu::Vcpu(const Vm& vm, unsigned index, std::vector<kvm_cpuid_entry2> cpuid)
    : index_(index),
      cpuid_(std::move(cpuid)),
      fd_(checked_ioctl(vm.fd(), KVM_CREATE_VCPU, static_cast<unsigned long>(index),
                        "KVM_CREATE_VCPU")),
      run_(base::Mapping::of_file(fd_.get(), vm.kvm().run_size(), PROT_READ | PROT_WRITE,
                                  MAP_SHARED)) {
  // CPUID first: what else may be set depends on it.
  set_cpuid();
  set_msrs();
  set_local_interrupts();
  if (index != 0) {
    // The others wait for the first processor's INIT and SIPI.
    kvm_mp_state waiting{KVM_MP_STATE_UNINITIALIZED};
    checked_ioctl(fd(), KVM_SET_MP_STATE, &waiting, "KVM_SET_MP_STATE");
  }
  if (vm.kvm().has(KVM_CAP_SYNC_REGS)) state().kvm_valid_regs = KVM_SYNC_X86_REGS;
}

void Vcpu::set_cpuid() {
  ListArgument<kvm_cpuid_entry2> list(cpuid_);
  checked_ioctl(fd(), set_cpuid2, list.header(), "KVM_SET_CPUID2");
}

void Vcpu::set_msrs() {
  constexpr std::array<kvm_msr_entry, 2> values{
      kvm_msr_entry{msr_misc_enable, 0, misc_enable_fast_string},
      kvm_msr_entry{msr_mtrr_default_type, 0, mtrr_enabled_write_back}};
  ListArgument<kvm_msr_entry> list(values);
  checked_ioctl(fd(), kvm::set_msrs, list.header(), "KVM_SET_MSRS");
}

void Vcpu::set_local_interrupts() {
  kvm_lapic_state apic{};
  checked_ioctl(fd(), KVM_GET_LAPIC, &apic, "KVM_GET_LAPIC");
  // KVM's pair of 8259s hangs on LINT0, unprogrammed, and the tables say there is none: unmasked,
  // each interrupt below 16 would arrive a second time as an exception of that number.
  set_local_vector(apic, apic_lint0, masked);
  set_local_vector(apic, apic_lint1, delivery_nmi);
  checked_ioctl(fd(), KVM_SET_LAPIC, &apic, "KVM_SET_LAPIC");
}

bool Vcpu::run() {
  if (::ioctl(fd(), KVM_RUN, 0) == 0) return true;
  if (errno == EINTR || errno == EAGAIN) return false;
  base::throw_errno("KVM cannot run vCPU {}", index_);
}

void Vcpu::set_immediate_exit(bool on) {
  std::atomic_ref(state().immediate_exit).store(on ? 1 : 0, std::memory_order_seq_cst);
}

// Fails where the guest has no such clock, which then has nothing to take amiss.
void Vcpu::tell_was_paused() const { ::ioctl(fd(), KVM_KVMCLOCK_CTRL, 0); }

kvm_regs Vcpu::registers() const {
  kvm_regs registers{};
  checked_ioctl(fd(), KVM_GET_REGS, &registers, "KVM_GET_REGS");
  return registers;
}

void Vcpu::set_registers(const kvm_regs& registers) {
  checked_ioctl(fd(), KVM_SET_REGS, &registers, "KVM_SET_REGS");
}

kvm_sregs Vcpu::special_registers() const {
  kvm_sregs registers{};
  checked_ioctl(fd(), KVM_GET_SREGS, &registers, "KVM_GET_SREGS");
  return registers;
}

void Vcpu::set_special_registers(const kvm_sregs& registers) {
  checked_ioctl(fd(), KVM_SET_SREGS, &registers, "KVM_SET_SREGS");
}

}  // namespace twinbox::vmm::kvm
