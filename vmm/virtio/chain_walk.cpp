#include "vmm/virtio/chain_walk.hpp"

#include <atomic>
#include <cstring>
#include <limits>

namespace twinbox::vmm::virtio {
namespace {

abi::Descriptor load(ChainWalk::Table table, std::uint16_t index) {
  abi::Descriptor copy;
  std::memcpy(&copy, table.data + sizeof(copy) * index, sizeof(copy));
  // Keeps the compiler from reading the guest's memory again after the copy was checked.
  std::atomic_signal_fence(std::memory_order_seq_cst);
  return copy;
}

}  // namespace

const char* ChainWalk::follow(Table queue_table, DescriptorChain& chain) {
  table_ = queue_table;
  std::uint16_t index = chain.head();
  for (std::uint32_t followed = 0; followed < queue_table.size; ++followed) {
    if (index >= table_.size) return "a descriptor's index is beyond its table";
    abi::Descriptor descriptor = load(table_, index);
    if ((descriptor.flags & abi::descriptor_indirect) != 0) {
      if (const char* fault = enter_indirect(descriptor)) return fault;
      descriptor = load(table_, 0);
      if ((descriptor.flags & abi::descriptor_indirect) != 0) return "an indirect table is nested";
    }
    if (const char* fault = add(descriptor, chain)) return fault;
    if ((descriptor.flags & abi::descriptor_next) == 0) return nullptr;
    index = descriptor.next;
  }
  return "a chain is longer than its queue, or a loop";
}

// 2.7.5.3.1: the table takes the place of all that would follow.
const char* ChainWalk::enter_indirect(const abi::Descriptor& descriptor) {
  if (!indirect_allowed_) return "an indirect table was not negotiated";
  if (in_indirect_) return "an indirect table is nested";
  if ((descriptor.flags & abi::descriptor_next) != 0)
    return "an indirect descriptor has a next one";
  if (descriptor.length == 0 || descriptor.length % sizeof(abi::Descriptor) != 0) {
    return "an indirect table is not a whole number of descriptors";
  }
  const auto table = memory_.slice(GuestAddress{descriptor.address}, descriptor.length);
  if (!table) return "an indirect table is not in RAM";
  in_indirect_ = true;
  table_ = {table->data(), static_cast<std::uint32_t>(descriptor.length / sizeof(abi::Descriptor))};
  return nullptr;
}

const char* ChainWalk::add(const abi::Descriptor& descriptor, DescriptorChain& chain) {
  const bool writable = (descriptor.flags & abi::descriptor_write) != 0;
  if (!writable && chain.segments_.size() > chain.readable_count_) {
    return "a readable buffer follows a writable one";
  }
  if (descriptor.length == 0) return nullptr;
  bytes_ += descriptor.length;
  if (bytes_ > std::numeric_limits<std::uint32_t>::max()) return "a chain is 4 GiB or longer";
  const auto bytes = memory_.slice(GuestAddress{descriptor.address}, descriptor.length);
  if (!bytes) return "a buffer is not in RAM";
  chain.segments_.push_back(*bytes);
  if (!writable) ++chain.readable_count_;
  return nullptr;
}

}  // namespace twinbox::vmm::virtio
