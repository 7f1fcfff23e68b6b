// Follows a chain through the descriptor table and at most one indirect table, checking every step.
#pragma once

#include <cstdint>

#include "vmm/memory/guest_memory.hpp"
#include "vmm/virtio/abi.hpp"
#include "vmm/virtio/chain.hpp"

namespace twinbox::vmm::virtio {

class ChainWalk {
 public:
  // A table of descriptors in host memory.
  struct Table {
    const std::byte* data = nullptr;
    std::uint32_t size = 0;  // entries
  };

  ChainWalk(const GuestMemory& memory, bool indirect_allowed)
      : memory_(memory), indirect_allowed_(indirect_allowed) {}

  // Adds the chain's segments to `chain`, which begins at its head. At most the queue's size of
  // descriptors are followed, so a loop ends. Returns what is wrong with it, or null.
  const char* follow(Table queue_table, DescriptorChain& chain);

 private:
  const char* enter_indirect(const abi::Descriptor& descriptor);
  const char* add(const abi::Descriptor& descriptor, DescriptorChain& chain);

  const GuestMemory& memory_;
  bool indirect_allowed_;
  bool in_indirect_ = false;
  Table table_;
  std::uint64_t bytes_ = 0;
};

}  // namespace twinbox::vmm::virtio
