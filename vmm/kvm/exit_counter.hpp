// Counts why vCPUs left the guest.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <string>

namespace twinbox::vmm::kvm {

// Written by one vCPU's thread, read by any.
class ExitCounter {
 public:
  // `reason` is a KVM_EXIT_* number; those above the known ones are counted as "other".
  void count(std::uint32_t reason);
  // Adds what is not zero to `totals`, by name: "io", "mmio", "hlt", "intr", ...
  void add_to(std::map<std::string, std::uint64_t>& totals) const;

 private:
  static constexpr std::size_t slots = 64;
  std::array<std::atomic<std::uint64_t>, slots> counts_{};
};

}  // namespace twinbox::vmm::kvm
