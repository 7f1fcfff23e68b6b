#include "vmm/kvm/cpuid_match.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace twinbox::vmm::kvm {
namespace {

constexpr const char* hint = "start the snapshot on the kind of processor that it was taken on";

// A word of CPUID each of whose bits is a feature (Intel SDM 2A, CPUID; AMD APM 3, appendix E;
// Linux Documentation/virt/kvm/x86/cpuid.rst).
struct FeatureWord {
  std::uint32_t function;
  std::uint32_t index;
  std::uint32_t kvm_cpuid_entry2::*word;
  std::string_view name;
  // Bits that tell of the guest's state, or that KVM or we provide on any processor.
  std::uint32_t ignored = 0;
};

constexpr std::uint32_t os_xsave = 1U << 27;
constexpr std::uint32_t tsc_deadline = 1U << 24;
constexpr std::uint32_t hypervisor = 1U << 31;
constexpr std::uint32_t many_cores = 1U << 28;
constexpr std::uint32_t os_protection_keys = 1U << 4;

using Entry = kvm_cpuid_entry2;
constexpr std::array<FeatureWord, 13> words{{
    {0x1, 0, &Entry::ecx, "ECX", os_xsave | tsc_deadline | hypervisor},
    {0x1, 0, &Entry::edx, "EDX", many_cores},
    {0x7, 0, &Entry::ebx, "EBX"},
    {0x7, 0, &Entry::ecx, "ECX", os_protection_keys},
    {0x7, 0, &Entry::edx, "EDX"},
    {0x7, 1, &Entry::eax, "EAX"},
    {0xd, 0, &Entry::eax, "EAX"},
    {0xd, 1, &Entry::eax, "EAX"},
    {0x8000'0001, 0, &Entry::ecx, "ECX"},
    {0x8000'0001, 0, &Entry::edx, "EDX"},
    {0x8000'0007, 0, &Entry::edx, "EDX"},
    {0x8000'0008, 0, &Entry::ebx, "EBX"},
    {0x4000'0001, 0, &Entry::eax, "EAX"},
}};

Entry find(const std::vector<Entry>& entries, std::uint32_t function, std::uint32_t index) {
  const auto found = std::ranges::find_if(entries, [&](const Entry& entry) {
    return entry.function == function && entry.index == index;
  });
  return found == entries.end() ? Entry{} : *found;
}

std::string vendor(const std::vector<Entry>& entries) {
  const Entry entry = find(entries, 0, 0);
  std::string name;
  for (const auto part : {entry.ebx, entry.edx, entry.ecx}) {
    for (unsigned shift = 0; shift < 32; shift += 8) {
      name += static_cast<char>(part >> shift & 0xffU);
    }
  }
  return name;
}

}  // namespace

void check_processor(const std::vector<Entry>& saved, const std::vector<Entry>& supported) {
  if (vendor(saved) != vendor(supported)) {
    throw base::Error(base::ErrorKind::unsupported,
                      fmt::format("the snapshot was taken on a processor of {}, and this one is of "
                                  "{}",
                                  vendor(saved), vendor(supported)),
                      hint);
  }
  for (const auto& [function, index, word, name, ignored] : words) {
    const auto wanted = find(saved, function, index).*word & ~ignored;
    const auto missing = wanted & ~(find(supported, function, index).*word);
    if (missing == 0) continue;
    throw base::Error(base::ErrorKind::unsupported,
                      fmt::format("the snapshot's guest uses features of its processor that this "
                                  "one lacks: CPUID leaf {:#x}.{} {} bit {}",
                                  function, index, name, std::countr_zero(missing)),
                      hint);
  }
}

}  // namespace twinbox::vmm::kvm
