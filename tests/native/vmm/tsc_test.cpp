// The counters of vCPUs that are made from saved ones, as the guest would read them.
#include <gtest/gtest.h>

#include <chrono>
#include <thread>
#include <vector>

#include "base/size.hpp"
#include "tests/native/vmm/bare_machine.hpp"
#include "vmm/kvm/cpuid.hpp"
#include "vmm/kvm/vcpu_state.hpp"

namespace twinbox::vmm::testing {
namespace {

// Two vCPUs that never run.
class TwoVcpus {
 public:
  TwoVcpus() : memory_(2 * base::mebibyte) {
    vm_.create(memory_);
    const auto supported = kvm_.supported_cpuid();
    for (unsigned index = 0; index < 2; ++index) {
      vcpus_.emplace_back(vm_, index, kvm::guest_cpuid(supported, {.vcpu = index, .vcpus = 2}));
    }
  }

  // As they are, but with these counters, in seconds.
  std::vector<kvm::SavedVcpu> saved(double first, double second) const {
    std::vector<kvm::SavedVcpu> all;
    for (const auto& vcpu : vcpus_) {
      all.push_back(kvm::save_vcpu(vcpu, vm_));
      const double seconds = all.size() == 1 ? first : second;
      for (auto& msr : all.back().msrs) {
        if (msr.index != kvm::msr_tsc) continue;
        msr.data = static_cast<std::uint64_t>(seconds * 1000 * all.back().tsc_khz);
      }
    }
    return all;
  }
  void restore(const std::vector<kvm::SavedVcpu>& saved, std::chrono::milliseconds between = {}) {
    kvm::TscSetter tsc;
    khz_ = saved[0].tsc_khz;
    kvm::restore_vcpu(vcpus_[0], vm_, saved[0], tsc);
    std::this_thread::sleep_for(between);
    kvm::restore_vcpu(vcpus_[1], vm_, saved[1], tsc);
  }
  double seconds(unsigned index) const {
    return static_cast<double>(kvm::read_tsc(vcpus_[index])) / (1000.0 * khz_);
  }

 private:
  GuestMemory memory_;
  kvm::Kvm kvm_;
  kvm::Vm vm_{kvm_};
  std::vector<kvm::Vcpu> vcpus_;
  std::uint32_t khz_ = 0;
};

class Tsc : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto host = kvm::probe_host();
    if (!host.runs_linux()) GTEST_SKIP() << "no guest's counter is its own: " << host.explanation;
  }

  // What the two counters are after a restore of a machine with these; the host may be slow.
  static void expect_to_go_on(double first, double second, std::chrono::milliseconds between = {}) {
    TwoVcpus copy;
    const auto saved = TwoVcpus().saved(first, second);
    const auto start = std::chrono::steady_clock::now();
    copy.restore(saved, between);
    const double one = copy.seconds(0);
    const double other = copy.seconds(1);
    const std::chrono::duration<double> past = std::chrono::steady_clock::now() - start;
    EXPECT_GE(one, first);
    EXPECT_LE(one, first + past.count() * 1.01);
    EXPECT_GE(other - one, second - first - 0.0001);
    EXPECT_LE(other - one, second - first + past.count() * 1.01);
  }
};

TEST_F(Tsc, GoesOnOfAGuestThatWasSavedInItsFirstSecond) { expect_to_go_on(0.6, 0.6); }

TEST_F(Tsc, GoesOnOfAnOldGuest) { expect_to_go_on(5000, 5000); }

TEST_F(Tsc, StaysInStepWhereTheVcpusWereNotReadAtOnce) {
  TwoVcpus copy;
  copy.restore(TwoVcpus().saved(0.6, 0.7));
  const double one = copy.seconds(0);
  EXPECT_LT(copy.seconds(1) - one, 0.09);
}

TEST_F(Tsc, StaysInStepOnASlowHost) {
  TwoVcpus copy;
  copy.restore(TwoVcpus().saved(0.6, 0.6), std::chrono::milliseconds(1500));
  const double one = copy.seconds(0);
  EXPECT_GE(one, 2.1);
  EXPECT_GE(copy.seconds(1), one);
}

TEST_F(Tsc, WhatTheGuestHasSetApartStaysSo) { expect_to_go_on(10, 60); }

}  // namespace
}  // namespace twinbox::vmm::testing
