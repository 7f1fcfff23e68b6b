#include "vmm/virtio/balloon.hpp"

#include <sys/mman.h>

#include <optional>
#include <utility>

namespace twinbox::vmm::virtio {
namespace {

constexpr std::uint16_t inflate_queue = 0;
constexpr std::uint16_t report_queue = 2;

// Of the device, whatever the guest's own pages are (5.5.6).
constexpr std::uint64_t page = 4096;
// A driver sends 256 page numbers at a time; what is beyond this is of no driver.
constexpr std::uint64_t max_page_numbers = 1024;

}  // namespace

std::uint64_t Balloon::features() const {
  return abi::balloon_feature_deflate_on_oom | abi::balloon_feature_reporting;
}

void Balloon::on_queue(std::uint16_t index) {
  serve_chains(index, [&](DescriptorChain chain) {
    if (index == report_queue) take_reported(chain);
    if (index == inflate_queue) take_inflated(chain);
    queue(index).complete(std::move(chain), 0);
  });
}

// Each buffer is free memory (5.5.6.8). The driver keeps it from others until it is given back.
void Balloon::take_reported(const DescriptorChain& chain) {
  for (const auto& segment : chain.writable()) discard(segment);
}

// The buffer holds the numbers of pages, 32 bits each (5.5.6).
void Balloon::take_inflated(const DescriptorChain& chain) {
  auto reader = chain.reader();
  for (std::uint64_t count = 0; count < max_page_numbers; ++count) {
    const auto number = reader.read_object<std::uint32_t>();
    if (!number) return;
    const auto range = memory_.slice(GuestAddress{*number * page}, page);
    if (!range) {
      count_fault("the balloon was given a page that is no memory");
      return;
    }
    discard(*range);
  }
}

// Only whole pages of the host: the rest of a page may hold something.
void Balloon::discard(std::span<std::byte> range) {
  const auto begin = reinterpret_cast<std::uintptr_t>(range.data());
  const auto first = (begin + page - 1) / page * page;
  const auto end = (begin + range.size()) / page * page;
  if (first >= end) return;
  if (::madvise(reinterpret_cast<void*>(first), end - first, MADV_DONTNEED) == 0) {
    given_back_ += end - first;
  }
}

}  // namespace twinbox::vmm::virtio
