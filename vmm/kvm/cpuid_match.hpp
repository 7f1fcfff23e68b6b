// Whether this host's processor has all that a saved machine's was promised.
#pragma once

#include <linux/kvm.h>

#include <vector>

namespace twinbox::vmm::kvm {

// Throws base::Error (unsupported) that names the first feature which `saved` (a vCPU's CPUID) has
// and `supported` (Kvm::supported_cpuid) has not, or the vendors if they differ.
void check_processor(const std::vector<kvm_cpuid_entry2>& saved,
                     const std::vector<kvm_cpuid_entry2>& supported);

}  // namespace twinbox::vmm::kvm
