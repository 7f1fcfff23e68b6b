#include "vmm/kvm/cpuid.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>

namespace twinbox::vmm::kvm {
namespace {

kvm_cpuid_entry2 entry(std::uint32_t function, std::uint32_t index = 0) {
  kvm_cpuid_entry2 made{};
  made.function = function;
  made.index = index;
  return made;
}

std::optional<kvm_cpuid_entry2> find(const std::vector<kvm_cpuid_entry2>& entries,
                                     std::uint32_t function, std::uint32_t index = 0) {
  const auto found = std::ranges::find_if(entries, [&](const kvm_cpuid_entry2& each) {
    return each.function == function && each.index == index;
  });
  return found == entries.end() ? std::nullopt : std::optional(*found);
}

TEST(Cpuid, EachProcessorHasItsOwnApicId) {
  for (unsigned vcpu = 0; vcpu < 3; ++vcpu) {
    const auto guest = guest_cpuid({entry(1), entry(0xb)}, {.vcpu = vcpu, .vcpus = 3});
    EXPECT_EQ(find(guest, 1)->ebx >> 24, vcpu);
    EXPECT_EQ(find(guest, 0xb, 0)->edx, vcpu);
    EXPECT_EQ(find(guest, 0xb, 1)->edx, vcpu);
  }
}

TEST(Cpuid, ApicIdFieldsArePowersOfTwo) {
  const auto guest = guest_cpuid({entry(1), entry(0xb)}, {.vcpu = 0, .vcpus = 3});
  EXPECT_EQ((find(guest, 1)->ebx >> 16) & 0xff, 4U);
  EXPECT_EQ(find(guest, 0xb, 1)->eax, 2U);  // two bits of the id number the cores
  EXPECT_EQ(find(guest, 0xb, 1)->ebx, 3U);  // and three are there
}

TEST(Cpuid, TopologyEndsWithAnInvalidLevel) {
  const auto guest = guest_cpuid({entry(0xb)}, {.vcpu = 0, .vcpus = 2});
  EXPECT_EQ(find(guest, 0xb, 0)->ecx, 0x100U);  // threads
  EXPECT_EQ(find(guest, 0xb, 1)->ecx, 0x201U);  // cores
  EXPECT_EQ((find(guest, 0xb, 2)->ecx >> 8) & 0xff, 0U);
}

TEST(Cpuid, TheHostsTopologyIsNotPassedOn) {
  auto host = entry(0xb, 3);
  host.edx = 77;
  const auto guest = guest_cpuid({entry(0xb), host, entry(0x1f)}, {.vcpu = 1, .vcpus = 2});
  EXPECT_FALSE(find(guest, 0xb, 3));
  EXPECT_FALSE(find(guest, 0x1f));
}

TEST(Cpuid, ParavirtualEndOfInterruptIsPassedOnOrNot) {
  auto features = entry(0x4000'0001);
  features.eax = ~0U;
  const auto with = guest_cpuid({features}, {.vcpu = 0, .vcpus = 1, .paravirtual_eoi = true});
  EXPECT_EQ(~0U, find(with, 0x4000'0001)->eax);
  const auto without = guest_cpuid({features}, {.vcpu = 0, .vcpus = 1, .paravirtual_eoi = false});
  EXPECT_EQ(~(1U << 6), find(without, 0x4000'0001)->eax);
}

TEST(Cpuid, SaysThatThereIsAHypervisorWithADeadlineTimer) {
  const auto with = guest_cpuid({entry(1)}, {.vcpu = 0, .vcpus = 1, .tsc_deadline = true});
  EXPECT_NE(find(with, 1)->ecx & (1U << 31), 0U);
  EXPECT_NE(find(with, 1)->ecx & (1U << 24), 0U);
  const auto without = guest_cpuid({entry(1)}, {.vcpu = 0, .vcpus = 1, .tsc_deadline = false});
  EXPECT_EQ(find(without, 1)->ecx & (1U << 24), 0U);
}

TEST(Cpuid, OnlySeveralProcessorsAreHyperthreaded) {
  const auto one = guest_cpuid({entry(1)}, {.vcpu = 0, .vcpus = 1});
  const auto two = guest_cpuid({entry(1)}, {.vcpu = 0, .vcpus = 2});
  EXPECT_EQ(find(one, 1)->edx & (1U << 28), 0U);
  EXPECT_NE(find(two, 1)->edx & (1U << 28), 0U);
}

TEST(Cpuid, CountsCoresInTheWayOfAmdToo) {
  const auto guest = guest_cpuid({entry(0x8000'0008), entry(0x8000'001e)}, {.vcpu = 2, .vcpus = 4});
  EXPECT_EQ(find(guest, 0x8000'0008)->ecx & 0xff, 3U);
  EXPECT_EQ((find(guest, 0x8000'0008)->ecx >> 12) & 0xf, 2U);
  EXPECT_EQ(find(guest, 0x8000'001e)->eax, 2U);
}

TEST(Cpuid, OnlyTheLastCacheIsShared) {
  auto first = entry(4, 0);
  first.eax = 1 << 5 | 1;
  auto last = entry(4, 3);
  last.eax = 3 << 5 | 3;
  const auto guest = guest_cpuid({first, last}, {.vcpu = 0, .vcpus = 4});
  EXPECT_EQ((find(guest, 4, 0)->eax >> 14) & 0xfff, 0U);
  EXPECT_EQ((find(guest, 4, 3)->eax >> 14) & 0xfff, 3U);
  EXPECT_EQ(find(guest, 4, 0)->eax >> 26, 3U);
}

TEST(Cpuid, HidesThePerformanceCounters) {
  auto counters = entry(0xa);
  counters.eax = 0x0730'0402;
  EXPECT_EQ(find(guest_cpuid({counters}, {}), 0xa)->eax, 0U);
}

TEST(Cpuid, HidesVirtualizationInTheGuest) {
  std::vector<kvm_cpuid_entry2> host;
  for (const std::uint32_t leaf : {0x1U, 0x8000'0001U, 0x8000'000aU}) {
    host.push_back(entry(leaf));
    host.back().eax = host.back().ebx = host.back().ecx = host.back().edx = ~0U;
  }
  const auto guest = guest_cpuid(host, {.vcpu = 0, .vcpus = 1});
  EXPECT_EQ(find(guest, 0x1)->ecx, ~(1U << 5));
  EXPECT_EQ(find(guest, 0x8000'0001)->ecx, ~(1U << 2 | 1U << 23));
  const auto svm = *find(guest, 0x8000'000a);
  EXPECT_EQ(svm.eax | svm.ebx | svm.ecx | svm.edx, 0U);
}

TEST(Cpuid, LeavesOtherLeavesAlone) {
  auto signature = entry(0x4000'0000);
  signature.ebx = 0x4b4d'564b;  // "KVMK"
  EXPECT_EQ(find(guest_cpuid({signature}, {}), 0x4000'0000)->ebx, 0x4b4d'564bU);
}

}  // namespace
}  // namespace twinbox::vmm::kvm
