// Arguments of the shape "count, then entries", which C++ has no type for.
#pragma once

#include <linux/kvm.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace twinbox::vmm::kvm {

// Linux's own structures end in flexible array members, whose size is not the same in C++ as in C;
// the header and the numbers that depend on it are therefore spelled out here.
struct ListHeader {
  std::uint32_t count;    // 0
  std::uint32_t padding;  // 4
};
static_assert(sizeof(ListHeader) == 8);
using XsaveHeader = std::uint32_t[1024];

inline constexpr unsigned long get_supported_cpuid = _IOWR(KVMIO, 0x05, ListHeader);
inline constexpr unsigned long get_msr_index_list = _IOWR(KVMIO, 0x02, std::uint32_t);
inline constexpr unsigned long get_msrs = _IOWR(KVMIO, 0x88, ListHeader);
inline constexpr unsigned long set_msrs = _IOW(KVMIO, 0x89, ListHeader);
inline constexpr unsigned long set_cpuid2 = _IOW(KVMIO, 0x90, ListHeader);
inline constexpr unsigned long get_xsave = _IOR(KVMIO, 0xa4, XsaveHeader);
inline constexpr unsigned long set_xsave = _IOW(KVMIO, 0xa5, XsaveHeader);
inline constexpr unsigned long get_xsave2 = _IOR(KVMIO, 0xcf, XsaveHeader);

// One block of memory with the count and its entries.
template <typename Entry>
class ListArgument {
 public:
  explicit ListArgument(std::uint32_t count)
      : block_(std::make_unique<std::byte[]>(sizeof(ListHeader) + count * sizeof(Entry))),
        room_(count) {
    header()->count = count;
  }
  explicit ListArgument(std::span<const Entry> entries)
      : ListArgument(static_cast<std::uint32_t>(entries.size())) {
    std::ranges::copy(entries, first());
  }

  ListHeader* header() { return reinterpret_cast<ListHeader*>(block_.get()); }
  // As many as the count says, which the kernel may have changed.
  std::span<Entry> entries() { return {first(), std::min(room_, header()->count)}; }

 private:
  Entry* first() { return reinterpret_cast<Entry*>(block_.get() + sizeof(ListHeader)); }

  std::unique_ptr<std::byte[]> block_;
  std::uint32_t room_;
};

}  // namespace twinbox::vmm::kvm
