// The device's side of a split virtqueue (virtio 1.2, 2.7): every index and address is checked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "vmm/memory/guest_memory.hpp"
#include "vmm/virtio/abi.hpp"
#include "vmm/virtio/chain.hpp"

namespace twinbox::vmm::virtio {

// Where the driver has put a queue.
struct QueueLayout {
  std::uint16_t size = 0;  // entries; a power of two
  GuestAddress descriptors;
  GuestAddress available;
  GuestAddress used;
};

struct RingFeatures {
  bool event_index = false;
  bool indirect = false;
};

// One virtqueue. The first malformed thing in it breaks it for good (until the device is reset):
// a broken queue has no more chains, so that nothing spins on what the guest cannot mend.
//
//   do {
//     queue.disable_notifications();
//     while (auto chain = queue.pop()) {
//       const std::uint32_t written = serve(*chain);
//       queue.complete(std::move(*chain), written);
//     }
//   } while (queue.enable_notifications());
//   if (queue.interrupt_wanted()) interrupt();
class Queue {
 public:
  // A queue that the driver has not set up: never has a chain.
  Queue() = default;
  // Nullopt unless size, alignment and addresses are legal and all three parts are RAM. The memory
  // is borrowed.
  static std::optional<Queue> open(const GuestMemory& memory, const QueueLayout& layout,
                                   RingFeatures features);

  std::uint16_t size() const { return size_; }
  // What was wrong with it, or null.
  const char* fault() const { return fault_; }
  // The same, once only.
  const char* take_fault_report() { return std::exchange(unreported_fault_, nullptr); }

  // The next chain; nullopt when there is none or the queue is broken.
  std::optional<DescriptorChain> pop();
  // Whether pop() would find one (or a fault), without taking it.
  bool has_available() const;
  // Gives a chain back after `written` bytes were written to its writable part.
  void complete(DescriptorChain chain, std::uint32_t written);
  // Chains popped and not completed.
  std::size_t in_flight() const { return in_flight_count_; }

  // How far both sides have come. Chains that are in flight count as not taken: whoever holds some
  // must hold the last ones only, and takes them again after restoring.
  struct Position {
    std::uint16_t next_available = 0;  // free-running, as all ring indices: they wrap at 65536
    std::uint16_t next_used = 0;
    std::uint16_t signalled_used = 0;  // next_used when interrupt_wanted() was last asked
  };
  Position save() const;
  void restore(const Position& position) { position_ = position; }
  // Breaks it, as something malformed does, without telling of it again.
  void restore_fault() { fault_ = "the queue was broken when the machine was saved"; }

  // Asks the driver to notify on the next chain. True when one is there already: then it may not
  // notify, so look again.
  bool enable_notifications();
  // Lets the driver save notifications; it may send some all the same.
  void disable_notifications();
  // Whether the driver wants an interrupt for what was completed since the last call.
  bool interrupt_wanted();

 private:
  std::optional<DescriptorChain> fail(const char* fault);
  std::uint16_t load_available_index() const;
  void store_used_flags(std::uint16_t flags);

  const GuestMemory* memory_ = nullptr;
  std::byte* descriptors_ = nullptr;  // the three parts, in host memory
  std::byte* available_ = nullptr;
  std::byte* used_ = nullptr;
  RingFeatures features_;
  std::uint16_t size_ = 0;
  Position position_;
  const char* fault_ = nullptr;
  const char* unreported_fault_ = nullptr;
  std::vector<bool> in_flight_;  // by head
  std::size_t in_flight_count_ = 0;
};

}  // namespace twinbox::vmm::virtio
