// A whole machine to a snapshot and back.
#pragma once

#include <string>
#include <vector>

#include "vmm/kvm/vcpu_state.hpp"
#include "vmm/machine.hpp"
#include "vmm/snapshot/archive.hpp"

namespace twinbox::vmm::snapshot {

// The machine must be paused, and goes on as if nothing had happened once it is resumed.
void save(Machine& machine, const std::string& path);

// The state comes in two parts: the vCPUs, which a machine is made with, and all that follows once
// its devices are there.
std::vector<kvm::SavedVcpu> read_vcpus(StateReader& reader, unsigned cpus);
void restore(Machine& machine, const std::vector<kvm::SavedVcpu>& vcpus, StateReader& reader);

}  // namespace twinbox::vmm::snapshot
