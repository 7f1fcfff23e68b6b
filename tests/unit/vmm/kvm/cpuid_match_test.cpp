#include "vmm/kvm/cpuid_match.hpp"

#include <gtest/gtest.h>

#include <string>

#include "base/error.hpp"

namespace twinbox::vmm::kvm {
namespace {

using Cpuid = std::vector<kvm_cpuid_entry2>;

kvm_cpuid_entry2 leaf(std::uint32_t function, std::uint32_t index = 0) {
  kvm_cpuid_entry2 entry{};
  entry.function = function;
  entry.index = index;
  return entry;
}

Cpuid processor() {
  Cpuid cpuid{leaf(0), leaf(1), leaf(7), leaf(0x4000'0001)};
  cpuid[0].ebx = 0x68747541;  // "AuthenticAMD"
  cpuid[0].edx = 0x69746e65;
  cpuid[0].ecx = 0x444d4163;
  cpuid[1].ecx = 0x0000'2001;
  cpuid[2].ebx = 0x0000'0020;
  return cpuid;
}

std::string refusal(const Cpuid& saved, const Cpuid& supported) {
  try {
    check_processor(saved, supported);
  } catch (const base::Error& error) {
    EXPECT_EQ(error.kind(), base::ErrorKind::unsupported);
    return error.message();
  }
  return {};
}

TEST(CheckProcessor, AcceptsTheSameAndABetterOne) {
  auto better = processor();
  better[1].ecx |= 0x0000'0200;
  EXPECT_EQ(refusal(processor(), processor()), "");
  EXPECT_EQ(refusal(processor(), better), "");
}

TEST(CheckProcessor, NamesTheMissingFeature) {
  auto saved = processor();
  saved[2].ebx |= 1U << 16;
  EXPECT_NE(refusal(saved, processor()).find("CPUID leaf 0x7.0 EBX bit 16"), std::string::npos);
}

TEST(CheckProcessor, NamesTheVendors) {
  auto other = processor();
  other[0].ebx = 0x756e6547;  // "GenuineIntel"
  other[0].edx = 0x49656e69;
  other[0].ecx = 0x6c65746e;
  const auto message = refusal(processor(), other);
  EXPECT_NE(message.find("a processor of AuthenticAMD"), std::string::npos) << message;
  EXPECT_NE(message.find("GenuineIntel"), std::string::npos) << message;
}

TEST(CheckProcessor, IgnoresWhatTheGuestOrWeHaveSet) {
  auto saved = processor();
  saved[1].ecx |= 1U << 31 | 1U << 27 | 1U << 24;
  saved[1].edx |= 1U << 28;
  EXPECT_EQ(refusal(saved, processor()), "");
}

}  // namespace
}  // namespace twinbox::vmm::kvm
