// How an image's layers come into a machine's physical memory.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

#include "sandbox/agent_session.hpp"
#include "vmm/machine_config.hpp"

namespace twinbox::vmm {

// Places for the layers in an image's memory of one of few sizes, so that one template serves many
// images; size 0 where they are too large for a machine with `memory_bytes` of RAM, or not there.
ImageConfig plan_image(std::span<const std::filesystem::path> layers, std::uint64_t memory_bytes);

// The guest's names of the layers, so many, of a machine.
std::vector<sandbox::AgentDisk> disks_in(const MachineConfig& machine, std::size_t layers);

}  // namespace twinbox::vmm
