// From a workload to the machine it gets.
#pragma once

#include <filesystem>

#include "sandbox/engine.hpp"
#include "vmm/machine_config.hpp"

namespace twinbox::vmm {

// The machine for a box, without the descriptors it will be connected to. Makes the guest's kernel
// and initramfs where they are missing. Throws base::Error for a machine that cannot be.
MachineConfig plan_machine(const sandbox::BoxRequest& request);

// How the machine of a request starts warm: from a template, a snapshot of the booted guest that
// has no workload yet.
struct WarmStart {
  MachineConfig boot;              // the machine that the template is made of
  std::filesystem::path snapshot;  // the template, or where it will be
  MachineConfig machine;           // goes on from there
};
WarmStart plan_warm_start(const sandbox::BoxRequest& request);

}  // namespace twinbox::vmm
