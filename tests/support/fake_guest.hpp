// A guest without a processor: its memory, and the driver's side of virtqueues in it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vmm/memory/guest_memory.hpp"
#include "vmm/virtio/abi.hpp"
#include "vmm/virtio/queue.hpp"

namespace twinbox::tests {

// Guest RAM that hands out pieces of itself.
class FakeGuest {
 public:
  explicit FakeGuest(std::uint64_t ram = 4 << 20) : memory_(ram) {}

  vmm::GuestMemory& memory() { return memory_; }
  std::uint64_t ram_size() const { return memory_.size(); }
  vmm::GuestAddress allocate(std::uint64_t size, std::uint64_t alignment = 16);
  // Memory that holds the text.
  vmm::GuestAddress place(std::string_view text);
  std::string text(vmm::GuestAddress address, std::uint64_t size);
  template <typename T>
  vmm::GuestAddress place_object(const T& object) {
    return place({reinterpret_cast<const char*>(&object), sizeof(object)});
  }

 private:
  vmm::GuestMemory memory_;
  std::uint64_t next_ = 0x1000;
};

// One buffer of a request, as the driver names it.
struct Buffer {
  vmm::GuestAddress address;
  std::uint32_t length = 0;
  bool device_writes = false;
};
// What the device is to read, and where it is to write.
Buffer readable(FakeGuest& guest, std::string_view text);
Buffer writable(FakeGuest& guest, std::uint32_t length);

// The driver's side of one virtqueue. Nothing is checked: a test may break any rule.
//
//   QueueDriver queue(guest, 8);
//   const auto answer = writable(guest, 64);
//   queue.send({readable(guest, "question"), answer});
//   ... the device works ...
//   EXPECT_EQ(queue.take_used()->length, 6);
class QueueDriver {
 public:
  QueueDriver(FakeGuest& guest, std::uint16_t size);

  const vmm::virtio::QueueLayout& layout() const { return layout_; }
  // The device's side of it.
  vmm::virtio::Queue open(vmm::virtio::RingFeatures features = {});

  // Writes a chain's descriptors and makes it available; returns its head.
  std::uint16_t send(const std::vector<Buffer>& buffers);
  // The same through an indirect table.
  std::uint16_t send_indirect(const std::vector<Buffer>& buffers);

  // The steps of the above, one by one.
  void set_descriptor(std::uint16_t index, const vmm::virtio::abi::Descriptor& descriptor);
  void publish(std::uint16_t head);
  void set_available_index(std::uint16_t index);
  std::uint16_t available_index() const { return available_index_; }

  void set_used_event(std::uint16_t index);
  void forbid_interrupts(bool forbidden);
  std::uint16_t available_event();
  bool notifications_forbidden();

  std::uint16_t used_index();
  // The next completion that was not taken yet.
  std::optional<vmm::virtio::abi::UsedElement> take_used();

 private:
  void write_u16(vmm::GuestAddress base, std::uint64_t offset, std::uint16_t value);
  std::uint16_t read_u16(vmm::GuestAddress base, std::uint64_t offset);

  FakeGuest& guest_;
  vmm::virtio::QueueLayout layout_;
  std::uint16_t next_descriptor_ = 0;
  std::uint16_t available_index_ = 0;
  std::uint16_t taken_ = 0;
};

}  // namespace twinbox::tests
