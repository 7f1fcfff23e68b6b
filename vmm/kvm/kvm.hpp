// The host's KVM: what every VM and vCPU is made from.
#pragma once

#include <linux/kvm.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/fd.hpp"

namespace twinbox::vmm::kvm {

class Kvm {
 public:
  // Throws base::Error (unsupported), in the words of probe_host(), when KVM cannot be used at all.
  explicit Kvm(const std::string& device = "/dev/kvm");

  int fd() const { return fd_.get(); }
  bool has(int capability) const;
  // Bytes of the page that the kernel shares with each vCPU.
  std::size_t run_size() const { return run_size_; }
  // The numbers of the model-specific registers that KVM saves and restores.
  std::vector<std::uint32_t> msr_indices() const;
  // What this host can offer a guest, before it is narrowed per vCPU (see cpuid.hpp).
  std::vector<kvm_cpuid_entry2> supported_cpuid() const;

 private:
  base::Fd fd_;
  std::size_t run_size_ = 0;
};

}  // namespace twinbox::vmm::kvm
