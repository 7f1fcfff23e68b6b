#include "vmm/kvm/vcpu_state.hpp"

#include <algorithm>

#include "vmm/kvm/ioctl.hpp"
#include "vmm/kvm/list_argument.hpp"

namespace twinbox::vmm::kvm {
namespace {

constexpr std::uint32_t msr_tsc_deadline = 0x6e0;  // Intel SDM 4, table 2-2
// KVM_SET_TSC_KHZ is not needed, and often not possible, for a difference that the kernel's own
// measurement of the clock has: 250 parts per million.
constexpr std::uint64_t tsc_tolerance = 4000;

template <typename T>
T get(const Vcpu& vcpu, unsigned long request, std::string_view name) {
  T value{};
  checked_ioctl(vcpu.fd(), request, &value, name);
  return value;
}

template <typename T>
void set(const Vcpu& vcpu, unsigned long request, const T& value, std::string_view name) {
  checked_ioctl(vcpu.fd(), request, &value, name);
}

// Every register that this KVM keeps. One that it names and this vCPU's CPUID hides stops the call
// at its place, and is left out.
std::vector<kvm_msr_entry> current_msrs(const Vcpu& vcpu, const Kvm& kvm) {
  std::vector<kvm_msr_entry> wanted;
  for (const auto index : kvm.msr_indices()) wanted.push_back({index, 0, 0});
  std::vector<kvm_msr_entry> found;
  for (std::span<const kvm_msr_entry> rest(wanted); !rest.empty();) {
    ListArgument<kvm_msr_entry> list(rest);
    const auto count =
        static_cast<std::size_t>(checked_ioctl(vcpu.fd(), get_msrs, list.header(), "KVM_GET_MSRS"));
    const auto entries = list.entries();
    found.insert(found.end(), entries.begin(),
                 entries.begin() + static_cast<std::ptrdiff_t>(count));
    rest = rest.subspan(std::min(count + 1, rest.size()));
  }
  // A deadline means something only once the clock that it is measured by is right.
  std::ranges::stable_partition(found, [](auto& msr) { return msr.index != msr_tsc_deadline; });
  return found;
}

// All but the TSC, which TscSetter sets. What cannot be set holds what it must already, or is
// nothing that the guest can have changed: KVM refuses to write some of what it lists.
void set_other_msrs(const Vcpu& vcpu, std::vector<kvm_msr_entry> msrs) {
  std::erase_if(msrs, [](const auto& msr) { return msr.index == msr_tsc; });
  for (std::span<const kvm_msr_entry> rest(msrs); !rest.empty();) {
    ListArgument<kvm_msr_entry> list(rest);
    const auto count =
        static_cast<std::size_t>(checked_ioctl(vcpu.fd(), set_msrs, list.header(), "KVM_SET_MSRS"));
    if (count == rest.size()) return;
    ListArgument<kvm_msr_entry> refused(rest.subspan(count, 1));
    const bool known = checked_ioctl(vcpu.fd(), get_msrs, refused.header(), "KVM_GET_MSRS") == 1;
    if (!known || refused.entries()[0].data != rest[count].data) {
      throw base::Error(base::ErrorKind::unsupported,
                        fmt::format("this host cannot give a processor of the snapshot its "
                                    "register MSR {:#x} back",
                                    rest[count].index),
                        "start the snapshot on the host that it was taken on");
    }
    rest = rest.subspan(count + 1);
  }
}

// 0 where KVM knows the state of a fixed size only.
std::size_t xsave2_size(const Vm& vm) {
  return static_cast<std::size_t>(
      checked_ioctl(vm.fd(), KVM_CHECK_EXTENSION, KVM_CAP_XSAVE2, "KVM_CHECK_EXTENSION"));
}

std::vector<std::byte> current_xsave(const Vcpu& vcpu, const Vm& vm) {
  const auto size = xsave2_size(vm);
  std::vector<std::byte> state(std::max(sizeof(kvm_xsave), size));
  if (size > 0) {
    checked_ioctl(vcpu.fd(), get_xsave2, state.data(), "KVM_GET_XSAVE2");
  } else {
    checked_ioctl(vcpu.fd(), get_xsave, state.data(), "KVM_GET_XSAVE");
  }
  return state;
}

// KVM reads as much as it needs itself, whatever it is given.
void set_xsave_state(const Vcpu& vcpu, const Vm& vm, const std::vector<std::byte>& state) {
  const auto needed = std::max(sizeof(kvm_xsave), xsave2_size(vm));
  if (state.size() < needed) {
    throw base::Error(base::ErrorKind::unsupported,
                      fmt::format("the snapshot has {} bytes of a processor's extended registers, "
                                  "and this host needs {}",
                                  state.size(), needed),
                      "start the snapshot on the kind of processor that it was taken on");
  }
  checked_ioctl(vcpu.fd(), set_xsave, state.data(), "KVM_SET_XSAVE");
}

// The clock goes on from where it stood, which needs it to run at the same rate.
void set_tsc_rate(const Vcpu& vcpu, std::uint32_t khz) {
  const auto now =
      static_cast<std::uint32_t>(checked_ioctl(vcpu.fd(), KVM_GET_TSC_KHZ, 0, "KVM_GET_TSC_KHZ"));
  const std::uint64_t difference = khz > now ? khz - now : now - khz;
  if (difference * tsc_tolerance <= khz) return;
  if (::ioctl(vcpu.fd(), KVM_SET_TSC_KHZ, static_cast<unsigned long>(khz)) == 0) return;
  throw base::Error(base::ErrorKind::unsupported,
                    fmt::format("the snapshot's clock runs at {} kHz, this processor's at {} kHz "
                                "and it cannot be scaled",
                                khz, now),
                    "start the snapshot on the kind of processor that it was taken on");
}

}  // namespace

SavedVcpu save_vcpu(const Vcpu& vcpu, const Vm& vm) {
  SavedVcpu saved;
  // Reading the run state first lets KVM finish an INIT or SIPI that is on its way; reading the
  // events last takes in what all of the others have changed.
  saved.run_state = get<kvm_mp_state>(vcpu, KVM_GET_MP_STATE, "KVM_GET_MP_STATE");
  saved.registers = vcpu.registers();
  saved.special = vcpu.special_registers();
  saved.xsave = current_xsave(vcpu, vm);
  saved.extended_control = get<kvm_xcrs>(vcpu, KVM_GET_XCRS, "KVM_GET_XCRS");
  saved.debug = get<kvm_debugregs>(vcpu, KVM_GET_DEBUGREGS, "KVM_GET_DEBUGREGS");
  saved.local_apic = get<kvm_lapic_state>(vcpu, KVM_GET_LAPIC, "KVM_GET_LAPIC");
  saved.tsc_khz =
      static_cast<std::uint32_t>(checked_ioctl(vcpu.fd(), KVM_GET_TSC_KHZ, 0, "KVM_GET_TSC_KHZ"));
  saved.msrs = current_msrs(vcpu, vm.kvm());
  // As it was given: what KVM makes of it (KVM_GET_CPUID2) depends on the guest's state, and more.
  saved.cpuid = vcpu.cpuid();
  saved.events = get<kvm_vcpu_events>(vcpu, KVM_GET_VCPU_EVENTS, "KVM_GET_VCPU_EVENTS");
  return saved;
}

void restore_vcpu(const Vcpu& vcpu, const Vm& vm, const SavedVcpu& saved, TscSetter& tsc) {
  // CPUID is there since the vCPU was made: it decides which of what follows may be set. The local
  // APIC needs its base from the special registers, the deadline its mode from the local APIC, and
  // the events go last since setting registers drops what waits to be delivered.
  set_tsc_rate(vcpu, saved.tsc_khz);
  set(vcpu, KVM_SET_MP_STATE, saved.run_state, "KVM_SET_MP_STATE");
  set(vcpu, KVM_SET_REGS, saved.registers, "KVM_SET_REGS");
  set(vcpu, KVM_SET_SREGS, saved.special, "KVM_SET_SREGS");
  set_xsave_state(vcpu, vm, saved.xsave);
  if (saved.extended_control.nr_xcrs > 0) {  // none on a processor without XSAVE
    set(vcpu, KVM_SET_XCRS, saved.extended_control, "KVM_SET_XCRS");
  }
  set(vcpu, KVM_SET_DEBUGREGS, saved.debug, "KVM_SET_DEBUGREGS");
  set(vcpu, KVM_SET_LAPIC, saved.local_apic, "KVM_SET_LAPIC");
  const auto counter = std::ranges::find(saved.msrs, msr_tsc, &kvm_msr_entry::index);
  if (counter != saved.msrs.end()) tsc.set(vcpu, counter->data, saved.tsc_khz);
  set_other_msrs(vcpu, saved.msrs);
  set(vcpu, KVM_SET_VCPU_EVENTS, saved.events, "KVM_SET_VCPU_EVENTS");
  vcpu.tell_was_paused();
}

void write_vcpu(StateWriter& writer, const SavedVcpu& saved) {
  writer.section("processor");
  writer.put_list(std::span(saved.cpuid));
  writer.put(saved.tsc_khz);
  writer.put(saved.run_state);
  writer.put(saved.registers);
  writer.put(saved.special);
  writer.put_list(std::span(saved.xsave));
  writer.put(saved.extended_control);
  writer.put(saved.debug);
  writer.put(saved.local_apic);
  writer.put_list(std::span(saved.msrs));
  writer.put(saved.events);
}

SavedVcpu read_vcpu(StateReader& reader) {
  SavedVcpu saved;
  reader.section("processor");
  saved.cpuid = reader.get_list<kvm_cpuid_entry2>();
  saved.tsc_khz = reader.get<std::uint32_t>();
  saved.run_state = reader.get<kvm_mp_state>();
  saved.registers = reader.get<kvm_regs>();
  saved.special = reader.get<kvm_sregs>();
  saved.xsave = reader.get_list<std::byte>();
  saved.extended_control = reader.get<kvm_xcrs>();
  saved.debug = reader.get<kvm_debugregs>();
  saved.local_apic = reader.get<kvm_lapic_state>();
  saved.msrs = reader.get_list<kvm_msr_entry>();
  saved.events = reader.get<kvm_vcpu_events>();
  return saved;
}

}  // namespace twinbox::vmm::kvm
