// The time stamp counters of a machine that goes on from where it was saved.
#pragma once

#include <cstdint>
#include <optional>

#include "vmm/kvm/vcpu.hpp"

namespace twinbox::vmm::kvm {

inline constexpr std::uint32_t msr_tsc = 0x10;  // Intel SDM 4, table 2-2

// For the vCPUs of one machine, one after the other: the first one's counter goes on from its
// value, and the others' keep in step with it, however long it takes until it is their turn.
//
// KVM takes a value within a second of what it expects for an attempt to synchronize, and keeps the
// offset that it has: of a guest that was saved in its first second that is the one that a new vCPU
// begins with, and its counter would go back. Since Linux 6.7 the first value counts, whatever it
// is; before, an offset does (5.16), or that a value is far from the last one.
class TscSetter {
 public:
  // `vcpu` must have its rate by now.
  void set(const Vcpu& vcpu, std::uint64_t value, std::uint32_t khz);

 private:
  struct First {
    std::uint64_t value = 0;
    std::optional<std::uint64_t> offset{};  // where KVM lets us set it
  };

  static First begin(const Vcpu& vcpu, std::uint64_t value);

  std::optional<First> first_;
};

// What a guest would read now.
std::uint64_t read_tsc(const Vcpu& vcpu);

}  // namespace twinbox::vmm::kvm
