#include "vmm/kvm/cpuid.hpp"

#include <asm/kvm_para.h>

#include <algorithm>
#include <bit>
#include <cstdint>

namespace twinbox::vmm::kvm {
namespace {

constexpr std::uint32_t bit(unsigned n) { return 1U << n; }

void replace_bits(std::uint32_t& word, unsigned low, unsigned width, std::uint32_t value) {
  const std::uint32_t mask = (width == 32 ? ~0U : bit(width) - 1U) << low;
  word = (word & ~mask) | ((value << low) & mask);
}

void assign_bit(std::uint32_t& word, unsigned n, bool on) { replace_bits(word, n, 1, on ? 1 : 0); }

// APIC ids are laid out in fields whose sizes are powers of two (Intel SDM 3A 9.9, AMD APM 3 E.5).
unsigned id_bits(unsigned vcpus) { return static_cast<unsigned>(std::bit_width(vcpus - 1U)); }

// Leaf 1: processor features (SDM 2A, CPUID, table 3-8).
void set_features(kvm_cpuid_entry2& entry, const CpuidRequest& request) {
  replace_bits(entry.ebx, 24, 8, request.vcpu);
  replace_bits(entry.ebx, 16, 8, bit(id_bits(request.vcpus)));
  assign_bit(entry.edx, 28, request.vcpus > 1);  // HTT: bits 23-16 of EBX are valid
  assign_bit(entry.ecx, 5, false);               // VMX, as SVM below
  assign_bit(entry.ecx, 24, request.tsc_deadline);
  assign_bit(entry.ecx, 31, true);  // a hypervisor is present
}

// Leaf 0x40000001: what KVM itself offers (Linux Documentation/virt/kvm/x86/cpuid.rst).
void set_kvm_features(kvm_cpuid_entry2& entry, const CpuidRequest& request) {
  if (!request.paravirtual_eoi) assign_bit(entry.eax, KVM_FEATURE_PV_EOI, false);
}

// Leaf 4 (Intel) and 0x8000001d (AMD): each cache belongs to one core, but the last level is
// shared.
void set_cache_sharing(kvm_cpuid_entry2& entry, const CpuidRequest& request) {
  const std::uint32_t level = (entry.eax >> 5) & 7U;
  const std::uint32_t sharing = level >= 3 ? bit(id_bits(request.vcpus)) - 1U : 0;
  replace_bits(entry.eax, 14, 12, sharing);
  if (entry.function == 4) replace_bits(entry.eax, 26, 6, bit(id_bits(request.vcpus)) - 1U);
}

// Leaf 0x80000001: AMD's features. Virtualization in the guest is not offered, for the state of a
// nested guest (KVM_GET_NESTED_STATE) is not saved. Without the extension AMD's counters are probed
// the old way, so take all of its bits.
void set_extended_features(kvm_cpuid_entry2& entry) {
  assign_bit(entry.ecx, 2, false);   // SVM
  assign_bit(entry.ecx, 23, false);  // performance counter extensions
}

// Leaf 0x80000008: number of cores, for AMD.
void set_core_count(kvm_cpuid_entry2& entry, const CpuidRequest& request) {
  replace_bits(entry.ecx, 0, 8, request.vcpus - 1);
  replace_bits(entry.ecx, 12, 4, id_bits(request.vcpus));
}

// Leaf 0x8000001e: AMD's extended APIC id.
void set_extended_id(kvm_cpuid_entry2& entry, const CpuidRequest& request) {
  entry.eax = request.vcpu;
  entry.ebx = request.vcpu;  // core id, one thread per core
  entry.ecx = 0;             // node 0 of one
}

void adjust(kvm_cpuid_entry2& entry, const CpuidRequest& request) {
  switch (entry.function) {
    case 0x1:
      return set_features(entry, request);
    case 0x4:
    case 0x8000'001d:
      return set_cache_sharing(entry, request);
    case 0xa:          // no counters
    case 0x8000'000a:  // no SVM
      entry.eax = entry.ebx = entry.ecx = entry.edx = 0;
      return;
    case 0x8000'0001:
      return set_extended_features(entry);
    case 0x8000'0008:
      return set_core_count(entry, request);
    case KVM_CPUID_FEATURES:
      return set_kvm_features(entry, request);
    case 0x8000'001e:
      return set_extended_id(entry, request);
    default:
      return;
  }
}

// Leaves 0xb and 0x1f: x2APIC topology (SDM 2A, CPUID, leaf 0BH). EDX is the x2APIC id everywhere.
void add_topology(std::vector<kvm_cpuid_entry2>& entries, std::uint32_t leaf,
                  const CpuidRequest& request) {
  const auto level = [&](std::uint32_t index, std::uint32_t shift, std::uint32_t count,
                         std::uint32_t type) {
    kvm_cpuid_entry2 entry{};
    entry.function = leaf;
    entry.index = index;
    entry.flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX;
    entry.eax = shift;
    entry.ebx = count;
    entry.ecx = index | type << 8;
    entry.edx = request.vcpu;
    entries.push_back(entry);
  };
  level(0, 0, 1, 1);                                   // threads of a core
  level(1, id_bits(request.vcpus), request.vcpus, 2);  // cores of the package
  level(2, 0, 0, 0);
}

}  // namespace

std::vector<kvm_cpuid_entry2> guest_cpuid(std::vector<kvm_cpuid_entry2> supported,
                                          const CpuidRequest& request) {
  const auto is_topology = [](const kvm_cpuid_entry2& entry) {
    return entry.function == 0xb || entry.function == 0x1f;
  };
  const bool has_0xb = std::ranges::any_of(
      supported, [](const kvm_cpuid_entry2& entry) { return entry.function == 0xb; });
  std::erase_if(supported, is_topology);
  for (auto& entry : supported) adjust(entry, request);
  if (has_0xb) add_topology(supported, 0xb, request);
  return supported;
}

}  // namespace twinbox::vmm::kvm
