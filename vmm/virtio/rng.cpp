#include "vmm/virtio/rng.hpp"

#include <sys/random.h>

#include <algorithm>
#include <utility>

namespace twinbox::vmm::virtio {
namespace {

// Fills what is writable, up to the limit. A short count is legal: the driver asks again.
std::uint32_t fill(const DescriptorChain& chain) {
  SegmentCursor cursor = chain.writer();
  std::uint32_t filled = 0;
  while (filled < Rng::max_request && cursor.remaining() > 0) {
    const Segment here = cursor.peek();
    const auto wanted = std::min<std::size_t>(here.size(), Rng::max_request - filled);
    const ssize_t count = ::getrandom(here.data(), wanted, GRND_NONBLOCK);
    if (count <= 0) break;
    filled += static_cast<std::uint32_t>(count);
    cursor.skip(static_cast<std::uint64_t>(count));
  }
  return filled;
}

}  // namespace

void Rng::on_queue(std::uint16_t index) {
  serve_chains(index, [&](DescriptorChain chain) {
    if (chain.writable().empty()) count_fault("an entropy request has no room");
    const std::uint32_t filled = fill(chain);
    queue(index).complete(std::move(chain), filled);
  });
}

}  // namespace twinbox::vmm::virtio
