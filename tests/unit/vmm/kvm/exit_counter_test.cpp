#include "vmm/kvm/exit_counter.hpp"

#include <gtest/gtest.h>
#include <linux/kvm.h>

namespace twinbox::vmm::kvm {
namespace {

TEST(ExitCounter, NamesWhatItCounted) {
  ExitCounter counter;
  counter.count(KVM_EXIT_IO);
  counter.count(KVM_EXIT_IO);
  counter.count(KVM_EXIT_MMIO);
  std::map<std::string, std::uint64_t> totals;
  counter.add_to(totals);
  EXPECT_EQ(totals, (std::map<std::string, std::uint64_t>{{"io", 2}, {"mmio", 1}}));
}

TEST(ExitCounter, AddsToWhatOtherProcessorsCounted) {
  ExitCounter counter;
  counter.count(KVM_EXIT_HLT);
  std::map<std::string, std::uint64_t> totals{{"hlt", 4}};
  counter.add_to(totals);
  EXPECT_EQ(totals.at("hlt"), 5U);
}

TEST(ExitCounter, CountsReasonsItDoesNotKnow) {
  ExitCounter counter;
  counter.count(60);
  counter.count(0xffff'ffff);
  std::map<std::string, std::uint64_t> totals;
  counter.add_to(totals);
  EXPECT_EQ(totals.at("other"), 2U);
}

}  // namespace
}  // namespace twinbox::vmm::kvm
