#include "vmm/virtio/queue.hpp"

#include <atomic>
#include <bit>
#include <utility>

#include "vmm/virtio/chain_walk.hpp"

namespace twinbox::vmm::virtio {
namespace {

std::atomic_ref<std::uint16_t> shared_u16(std::byte* address) {
  return std::atomic_ref<std::uint16_t>(*reinterpret_cast<std::uint16_t*>(address));
}

// Orders our store before our load of what the driver stores. The driver has the same fence between
// its own two, so at least one side sees the other's news and no wake-up is lost
// (2.7.7.1, 2.7.10.1).
void full_fence() {
#ifdef __SANITIZE_THREAD__  // it does not know fences
  static std::atomic<int> anything;
  anything.fetch_add(0, std::memory_order_seq_cst);
#else
  std::atomic_thread_fence(std::memory_order_seq_cst);
#endif
}

std::byte* part(const GuestMemory& memory, GuestAddress address, std::size_t size,
                std::uint64_t alignment) {
  if (address.value % alignment != 0) return nullptr;
  const auto bytes = memory.slice(address, size);
  return bytes ? bytes->data() : nullptr;
}

}  // namespace

std::optional<Queue> Queue::open(const GuestMemory& memory, const QueueLayout& layout,
                                 RingFeatures features) {
  if (!std::has_single_bit(layout.size) || layout.size > abi::max_queue_size) return std::nullopt;
  Queue queue;
  queue.memory_ = &memory;
  queue.features_ = features;
  queue.size_ = layout.size;
  queue.in_flight_.resize(layout.size);
  // Alignments by 2.7.
  queue.descriptors_ = part(memory, layout.descriptors, sizeof(abi::Descriptor) * layout.size, 16);
  queue.available_ = part(memory, layout.available, abi::available_size(layout.size), 2);
  queue.used_ = part(memory, layout.used, abi::used_size(layout.size), 4);
  if (!queue.descriptors_ || !queue.available_ || !queue.used_) return std::nullopt;
  return queue;
}

std::uint16_t Queue::load_available_index() const {
  // Acquire: pairs with the driver's barrier between filling a ring entry and moving the index.
  return shared_u16(available_ + abi::available_index_offset).load(std::memory_order_acquire);
}

std::optional<DescriptorChain> Queue::fail(const char* fault) {
  fault_ = unreported_fault_ = fault;
  return std::nullopt;
}

bool Queue::has_available() const {
  return memory_ && !fault_ && load_available_index() != position_.next_available;
}

std::optional<DescriptorChain> Queue::pop() {
  if (!has_available()) return std::nullopt;
  const auto waiting =
      static_cast<std::uint16_t>(load_available_index() - position_.next_available);
  if (waiting > size_) return fail("the available index is further ahead than the queue is long");
  std::byte* const entry =
      available_ + abi::available_ring_offset + std::size_t{2} * (position_.next_available % size_);
  const std::uint16_t head = shared_u16(entry).load(std::memory_order_relaxed);
  if (head >= size_) return fail("a chain's head is beyond the descriptor table");
  if (in_flight_[head]) return fail("a chain was made available twice");
  DescriptorChain chain(head);
  ChainWalk walk(*memory_, features_.indirect);
  if (const char* fault = walk.follow({descriptors_, size_}, chain)) return fail(fault);
  ++position_.next_available;
  in_flight_[head] = true;
  ++in_flight_count_;
  return chain;
}

void Queue::complete(DescriptorChain chain, std::uint32_t written) {
  const std::uint16_t head = chain.head();
  in_flight_[head] = false;
  --in_flight_count_;
  std::byte* const element =
      used_ + abi::used_ring_offset + sizeof(abi::UsedElement) * (position_.next_used % size_);
  auto* const fields = reinterpret_cast<std::uint32_t*>(element);
  std::atomic_ref(fields[0]).store(head, std::memory_order_relaxed);
  std::atomic_ref(fields[1]).store(written, std::memory_order_relaxed);
  ++position_.next_used;
  // Release: pairs with the driver's barrier between reading the index and the element.
  shared_u16(used_ + abi::used_index_offset).store(position_.next_used, std::memory_order_release);
}

Queue::Position Queue::save() const {
  Position position = position_;
  position.next_available = static_cast<std::uint16_t>(position.next_available - in_flight_count_);
  return position;
}

void Queue::store_used_flags(std::uint16_t flags) {
  shared_u16(used_).store(flags, std::memory_order_relaxed);
}

bool Queue::enable_notifications() {
  if (!memory_) return false;
  if (features_.event_index) {
    std::byte* const event = used_ + abi::used_ring_offset + sizeof(abi::UsedElement) * size_;
    shared_u16(event).store(position_.next_available, std::memory_order_relaxed);
  } else {
    store_used_flags(0);
  }
  full_fence();  // between our avail_event (or flags) and the driver's index
  return has_available();
}

void Queue::disable_notifications() {
  // With event indices nothing is to be done: the one that is stored lies in the past by now.
  if (memory_ && !features_.event_index) store_used_flags(abi::used_no_notify);
}

bool Queue::interrupt_wanted() {
  if (position_.next_used == position_.signalled_used) return false;
  full_fence();  // between our used index and the driver's used_event (or flags)
  const std::uint16_t before = std::exchange(position_.signalled_used, position_.next_used);
  if (!features_.event_index) {
    const auto flags = shared_u16(available_).load(std::memory_order_relaxed);
    return (flags & abi::available_no_interrupt) == 0;
  }
  const std::uint16_t event =
      shared_u16(available_ + abi::available_ring_offset + std::size_t{2} * size_)
          .load(std::memory_order_relaxed);
  // Whether `event` is among the indices used since then (2.7.10), all modulo 65536.
  return static_cast<std::uint16_t>(position_.next_used - event - 1) <
         static_cast<std::uint16_t>(position_.next_used - before);
}

}  // namespace twinbox::vmm::virtio
