// From a workload to the machine it gets.
#pragma once

#include "sandbox/engine.hpp"
#include "vmm/machine_config.hpp"

namespace twinbox::vmm {

// The machine for a box, without the descriptors it will be connected to. Makes the guest's kernel
// and initramfs where they are missing. Throws base::Error for a machine that cannot be.
MachineConfig plan_machine(const sandbox::BoxRequest& request);

}  // namespace twinbox::vmm
