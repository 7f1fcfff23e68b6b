// What the monitor needs of KVM, by name.
#pragma once

#include <string>
#include <vector>

namespace twinbox::vmm::kvm {

// The names of needed capabilities that the KVM behind `kvm_fd` does not have.
std::vector<std::string> missing_capabilities(int kvm_fd);

}  // namespace twinbox::vmm::kvm
