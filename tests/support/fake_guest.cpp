#include "tests/support/fake_guest.hpp"

#include <atomic>
#include <stdexcept>

namespace twinbox::tests {

using vmm::GuestAddress;
using vmm::virtio::Queue;
namespace abi = vmm::virtio::abi;

GuestAddress FakeGuest::allocate(std::uint64_t size, std::uint64_t alignment) {
  next_ = (next_ + alignment - 1) / alignment * alignment;
  const GuestAddress piece{next_};
  next_ += size;
  if (next_ > memory_.size()) throw std::length_error("the fake guest has not enough RAM");
  return piece;
}

GuestAddress FakeGuest::place(std::string_view text) {
  const auto address = allocate(text.size());
  memory_.write(address, std::as_bytes(std::span(text)));
  return address;
}

std::string FakeGuest::text(GuestAddress address, std::uint64_t size) {
  std::string copy(size, '\0');
  if (!memory_.read(address, std::as_writable_bytes(std::span(copy)))) {
    throw std::out_of_range("not in the fake guest's RAM");
  }
  return copy;
}

Buffer readable(FakeGuest& guest, std::string_view text) {
  return {guest.place(text), static_cast<std::uint32_t>(text.size()), false};
}

Buffer writable(FakeGuest& guest, std::uint32_t length) {
  return {guest.allocate(length), length, true};
}

QueueDriver::QueueDriver(FakeGuest& guest, std::uint16_t size) : guest_(guest) {
  layout_.size = size;
  layout_.descriptors = guest.allocate(16ULL * size, 16);
  layout_.available = guest.allocate(abi::available_size(size), 2);
  layout_.used = guest.allocate(abi::used_size(size), 4);
}

Queue QueueDriver::open(vmm::virtio::RingFeatures features) {
  return Queue::open(guest_.memory(), layout_, features).value();
}

std::uint16_t QueueDriver::send(const std::vector<Buffer>& buffers) {
  const std::uint16_t head = next_descriptor_;
  for (std::size_t i = 0; i < buffers.size(); ++i) {
    const std::uint16_t index = next_descriptor_;
    next_descriptor_ = static_cast<std::uint16_t>((index + 1) % layout_.size);
    unsigned flags = buffers[i].device_writes ? abi::descriptor_write : 0U;
    if (i + 1 < buffers.size()) flags |= abi::descriptor_next;
    set_descriptor(index, {buffers[i].address.value, buffers[i].length,
                           static_cast<std::uint16_t>(flags), next_descriptor_});
  }
  publish(head);
  return head;
}

std::uint16_t QueueDriver::send_indirect(const std::vector<Buffer>& buffers) {
  const auto table = guest_.allocate(16 * buffers.size());
  for (std::size_t i = 0; i < buffers.size(); ++i) {
    unsigned flags = buffers[i].device_writes ? abi::descriptor_write : 0U;
    if (i + 1 < buffers.size()) flags |= abi::descriptor_next;
    guest_.memory().write_object(
        GuestAddress{table.value + 16 * i},
        abi::Descriptor{buffers[i].address.value, buffers[i].length,
                        static_cast<std::uint16_t>(flags), static_cast<std::uint16_t>(i + 1)});
  }
  const std::uint16_t head = next_descriptor_;
  next_descriptor_ = static_cast<std::uint16_t>((head + 1) % layout_.size);
  set_descriptor(head, {table.value, static_cast<std::uint32_t>(16 * buffers.size()),
                        abi::descriptor_indirect, 0});
  publish(head);
  return head;
}

void QueueDriver::set_descriptor(std::uint16_t index, const abi::Descriptor& descriptor) {
  guest_.memory().write_object(GuestAddress{layout_.descriptors.value + 16ULL * index}, descriptor);
}

void QueueDriver::publish(std::uint16_t head) {
  write_u16(layout_.available, 4 + 2ULL * (available_index_ % layout_.size), head);
  set_available_index(static_cast<std::uint16_t>(available_index_ + 1));
}

void QueueDriver::set_available_index(std::uint16_t index) {
  available_index_ = index;
  write_u16(layout_.available, 2, index);
}

void QueueDriver::set_used_event(std::uint16_t index) {
  write_u16(layout_.available, 4 + 2ULL * layout_.size, index);
}

void QueueDriver::forbid_interrupts(bool forbidden) {
  write_u16(layout_.available, 0, forbidden ? abi::available_no_interrupt : std::uint16_t{0});
}

std::uint16_t QueueDriver::available_event() {
  return read_u16(layout_.used, 4 + 8ULL * layout_.size);
}

bool QueueDriver::notifications_forbidden() {
  return (read_u16(layout_.used, 0) & abi::used_no_notify) != 0;
}

std::uint16_t QueueDriver::used_index() { return read_u16(layout_.used, 2); }

std::optional<abi::UsedElement> QueueDriver::take_used() {
  if (used_index() == taken_) return std::nullopt;
  const GuestAddress element{layout_.used.value + 4 + 8ULL * (taken_ % layout_.size)};
  ++taken_;
  return guest_.memory().read_object<abi::UsedElement>(element);
}

// Sequentially consistent, as a driver's full barriers make them: a device may look from another
// thread.
void QueueDriver::write_u16(GuestAddress base, std::uint64_t offset, std::uint16_t value) {
  auto* const bytes = guest_.memory().slice({base.value + offset}, 2).value().data();
  std::atomic_ref(*reinterpret_cast<std::uint16_t*>(bytes)).store(value);
}

std::uint16_t QueueDriver::read_u16(GuestAddress base, std::uint64_t offset) {
  auto* const bytes = guest_.memory().slice({base.value + offset}, 2).value().data();
  return std::atomic_ref(*reinterpret_cast<std::uint16_t*>(bytes)).load();
}

}  // namespace twinbox::tests
