// A request of the guest as checked spans of its memory, and a cursor to walk them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

namespace twinbox::vmm::virtio {

using Segment = std::span<std::byte>;

std::uint64_t total_size(std::span<const Segment> segments);

// Walks segments as one run of bytes, however the guest has cut it up. The guest may change the
// bytes meanwhile: copy out once, then check the copy.
class SegmentCursor {
 public:
  SegmentCursor() = default;
  // The segments are borrowed.
  explicit SegmentCursor(std::span<const Segment> segments);

  std::uint64_t remaining() const { return remaining_; }
  // Copies what there is, up to the buffer's size; returns the number of bytes.
  std::size_t read(std::span<std::byte> out);
  std::size_t write(std::span<const std::byte> bytes);
  // The rest of the current segment, without moving; empty at the end.
  Segment peek() const;
  // `count` is at most remaining().
  void skip(std::uint64_t count);
  // The next `count` bytes (at most remaining()) as segments, and past them.
  std::vector<Segment> take(std::uint64_t count);

  template <typename T>
  requires std::is_trivially_copyable_v<T> std::optional<T> read_object() {
    T object{};
    if (remaining_ < sizeof(T)) return std::nullopt;
    read(std::as_writable_bytes(std::span(&object, 1)));
    return object;
  }

 private:
  std::span<const Segment> segments_;  // from the current one on; never begins with a used-up one
  std::size_t offset_ = 0;             // in the current one
  std::uint64_t remaining_ = 0;
};

// A chain of buffers that the guest has lent to the device: first those the device reads, then
// those it writes. Made by Queue::pop only, and given back exactly once, to Queue::complete.
class DescriptorChain {
 public:
  DescriptorChain(DescriptorChain&& other) noexcept = default;
  DescriptorChain& operator=(DescriptorChain&& other) noexcept = default;
  DescriptorChain(const DescriptorChain&) = delete;
  DescriptorChain& operator=(const DescriptorChain&) = delete;

  std::uint16_t head() const { return head_; }
  std::span<const Segment> readable() const { return std::span(segments_).first(readable_count_); }
  std::span<const Segment> writable() const {
    return std::span(segments_).subspan(readable_count_);
  }
  SegmentCursor reader() const { return SegmentCursor(readable()); }
  SegmentCursor writer() const { return SegmentCursor(writable()); }

 private:
  friend class ChainWalk;
  friend class Queue;
  explicit DescriptorChain(std::uint16_t head) : head_(head) {}

  std::uint16_t head_;
  std::size_t readable_count_ = 0;
  std::vector<Segment> segments_;
};

}  // namespace twinbox::vmm::virtio
