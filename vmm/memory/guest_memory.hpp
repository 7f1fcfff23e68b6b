// The guest's physical memory: one host mapping, below and above the 32-bit gap, bounds-checked.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <type_traits>
#include <vector>

#include "base/fd.hpp"
#include "base/mapping.hpp"

namespace twinbox::vmm {

// A guest physical address.
struct GuestAddress {
  std::uint64_t value = 0;
  auto operator<=>(const GuestAddress&) const = default;  // NOLINT(modernize-use-nullptr)
};

// Nullopt on overflow.
std::optional<GuestAddress> checked_add(GuestAddress address, std::uint64_t offset);

// One contiguous range of guest RAM.
struct MemoryRegion {
  GuestAddress start;
  std::uint64_t size = 0;
  std::uint64_t host_offset = 0;  // of its first byte in the mapping
};

// A run of whole pages of the host mapping.
struct PageRange {
  std::uint64_t host_offset = 0;
  std::uint64_t size = 0;
  bool operator==(const PageRange&) const = default;
};

// Only this class turns a guest address into host memory. Accesses race with the guest by nature:
// copy a guest structure once, then check the copy.
class GuestMemory {
 public:
  // `size` in bytes, rounded up to a page. RAM that does not fit below the gap goes on at 4 GiB.
  explicit GuestMemory(std::uint64_t size);

  std::uint64_t size() const { return mapping_.size(); }
  const std::vector<MemoryRegion>& regions() const { return regions_; }
  std::byte* host_base() const { return mapping_.data(); }

  // The pages that may hold anything but zeros: those that were ever touched, and those of mapped
  // files that are no holes. In order, none adjacent to the next.
  std::vector<PageRange> populated() const;
  // The pages that are this process's alone: those written to, by the guest or by us. In order,
  // none adjacent to the next.
  std::vector<PageRange> own_pages() const;
  // Makes pages so ahead of time; what is beyond the memory is left out. While it does, nothing
  // else may touch the memory.
  void make_own(const std::vector<PageRange>& pages) const;

  // The bytes [address, address + length), or nullopt unless all of them are RAM of one region.
  // A range that ends exactly at the top of a region is valid; so is an empty one inside.
  std::optional<std::span<std::byte>> slice(GuestAddress address, std::uint64_t length) const;

  // False where the range is not RAM.
  bool read(GuestAddress address, std::span<std::byte> out) const;
  bool write(GuestAddress address, std::span<const std::byte> bytes) const;

  template <typename T>
  requires std::is_trivially_copyable_v<T> std::optional<T> read_object(GuestAddress address)
  const {
    T object;
    if (!read(address, std::as_writable_bytes(std::span(&object, 1)))) return std::nullopt;
    return object;
  }
  template <typename T>
  requires std::is_trivially_copyable_v<T>
  bool write_object(GuestAddress address, const T& object) const {
    return write(address, std::as_bytes(std::span(&object, 1)));
  }

  // Puts a private copy-on-write window of a file in place of RAM: address, length and offset must
  // be multiples of the page size. False where the range is not RAM.
  bool map_file(GuestAddress address, int fd, std::uint64_t offset, std::uint64_t length) const;

  static constexpr std::uint64_t page_size = 4096;

 private:
  // Our own descriptor of a file, for all of its windows: a snapshot has hundreds.
  struct File {
    base::Fd descriptor;
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
  };
  struct Window {
    PageRange pages;
    std::shared_ptr<const File> file;
    std::uint64_t file_offset = 0;
  };

  std::shared_ptr<const File> file_of(int fd) const;
  void copy_from(const Window& window, std::vector<PageRange>& pages) const;

  base::Mapping mapping_;
  std::vector<MemoryRegion> regions_;
  // What map_file() has put in; guest memory is as const as a pointer to it is.
  mutable std::vector<Window> windows_;
};

}  // namespace twinbox::vmm
