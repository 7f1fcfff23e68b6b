#include "vmm/virtio/chain.hpp"

#include <algorithm>
#include <cstring>

namespace twinbox::vmm::virtio {

std::uint64_t total_size(std::span<const Segment> segments) {
  std::uint64_t total = 0;
  for (const auto& segment : segments) total += segment.size();
  return total;
}

SegmentCursor::SegmentCursor(std::span<const Segment> segments)
    : segments_(segments), remaining_(total_size(segments)) {
  skip(0);
}

Segment SegmentCursor::peek() const {
  return remaining_ == 0 ? Segment{} : segments_.front().subspan(offset_);
}

void SegmentCursor::skip(std::uint64_t count) {
  remaining_ -= count;
  while (!segments_.empty()) {
    const std::uint64_t here = std::min<std::uint64_t>(count, segments_.front().size() - offset_);
    offset_ += static_cast<std::size_t>(here);
    count -= here;
    if (offset_ < segments_.front().size()) return;
    segments_ = segments_.subspan(1);
    offset_ = 0;
  }
}

std::size_t SegmentCursor::read(std::span<std::byte> out) {
  std::size_t done = 0;
  while (done < out.size() && remaining_ > 0) {
    const Segment here = peek();
    const std::size_t count = std::min(here.size(), out.size() - done);
    std::memcpy(out.data() + done, here.data(), count);
    done += count;
    skip(count);
  }
  return done;
}

std::size_t SegmentCursor::write(std::span<const std::byte> bytes) {
  std::size_t done = 0;
  while (done < bytes.size() && remaining_ > 0) {
    const Segment here = peek();
    const std::size_t count = std::min(here.size(), bytes.size() - done);
    std::memcpy(here.data(), bytes.data() + done, count);
    done += count;
    skip(count);
  }
  return done;
}

std::vector<Segment> SegmentCursor::take(std::uint64_t count) {
  std::vector<Segment> taken;
  while (count > 0) {
    const Segment here = peek();
    const auto part = static_cast<std::size_t>(std::min<std::uint64_t>(count, here.size()));
    taken.push_back(here.first(part));
    count -= part;
    skip(part);
  }
  return taken;
}

}  // namespace twinbox::vmm::virtio
