#include "vmm/memory/guest_memory.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "base/error.hpp"
#include "base/syscall.hpp"
#include "vmm/layout.hpp"
#include "vmm/memory/page_copier.hpp"

namespace twinbox::vmm {
namespace {

constexpr std::uint64_t page = GuestMemory::page_size;
// KVM backs guest memory by huge pages only where host and guest addresses agree on their offset in
// one. A fault for each small page that a booting kernel touches costs more than its instructions.
constexpr std::uint64_t huge_page = 2U << 20;

// Lets whoever measures the process tell guest RAM from our own memory in /proc/PID/smaps
// ("[anon:twinbox-guest-ram]"). Kernels without CONFIG_ANON_VMA_NAME refuse, which is no harm.
void name_mapping(const base::Mapping& mapping) {
  constexpr int set_vma = 0x53564d41;  // PR_SET_VMA, which older headers lack
  constexpr unsigned long anonymous_name = 0;
  ::prctl(set_vma, anonymous_name, mapping.data(), mapping.size(), "twinbox-guest-ram");
}

using PageSet = std::vector<bool>;

// Of an entry of /proc/PID/pagemap (Linux Documentation/admin-guide/mm/pagemap.rst): bit 63
// present, bit 62 swapped out, bit 61 a page of a file or of shared memory.
bool is_touched(std::uint64_t entry) { return entry >> 62 != 0; }
bool is_own(std::uint64_t entry) { return is_touched(entry) && (entry >> 61 & 1) == 0; }

void add_pages(PageSet& pages, const std::byte* start, bool (*wanted)(std::uint64_t entry)) {
  const auto map = base::open_file("/proc/self/pagemap", O_RDONLY);
  const std::uint64_t first = reinterpret_cast<std::uintptr_t>(start) / page;
  std::vector<std::uint64_t> entries(std::min<std::size_t>(pages.size(), 16384));
  for (std::size_t done = 0; done < pages.size(); done += entries.size()) {
    entries.resize(std::min(entries.size(), pages.size() - done));
    base::pread_exact(map.get(), std::as_writable_bytes(std::span(entries)),
                      (first + done) * sizeof(std::uint64_t));
    for (std::size_t i = 0; i < entries.size(); ++i) {
      if (wanted(entries[i])) pages[done + i] = true;
    }
  }
}

// The pages of a file that are no holes.
void add_data(PageSet& pages, PageRange window, int fd, std::uint64_t file_offset) {
  const auto end = static_cast<off_t>(file_offset + window.size);
  off_t data = ::lseek(fd, static_cast<off_t>(file_offset), SEEK_DATA);
  while (data >= 0 && data < end) {
    const off_t hole = std::min(::lseek(fd, data, SEEK_HOLE), end);
    if (hole <= data) return;
    const std::uint64_t from = static_cast<std::uint64_t>(data) - file_offset;
    const std::uint64_t to = static_cast<std::uint64_t>(hole) - file_offset;
    for (std::uint64_t at = from / page; at < (to + page - 1) / page; ++at) {
      pages[window.host_offset / page + at] = true;
    }
    data = ::lseek(fd, hole, SEEK_DATA);
  }
}

bool contains(const PageRange& outer, const PageRange& inner) {
  return inner.host_offset >= outer.host_offset &&
         inner.host_offset - outer.host_offset <= outer.size &&
         inner.size <= outer.size - (inner.host_offset - outer.host_offset);
}

std::vector<PageRange> ranges_of(const PageSet& pages) {
  std::vector<PageRange> ranges;
  for (std::size_t i = 0; i < pages.size(); ++i) {
    if (!pages[i]) continue;
    if (!ranges.empty() && ranges.back().host_offset + ranges.back().size == i * page) {
      ranges.back().size += page;
    } else {
      ranges.push_back({i * page, page});
    }
  }
  return ranges;
}

}  // namespace

std::optional<GuestAddress> checked_add(GuestAddress address, std::uint64_t offset) {
  GuestAddress sum;
  if (__builtin_add_overflow(address.value, offset, &sum.value)) return std::nullopt;
  return sum;
}

GuestMemory::GuestMemory(std::uint64_t size)
    : mapping_(base::Mapping::anonymous_aligned((size + page - 1) / page * page, huge_page)) {
  name_mapping(mapping_);
  const std::uint64_t low = std::min<std::uint64_t>(mapping_.size(), layout::gap_start);
  regions_.push_back({GuestAddress{0}, low, 0});
  if (mapping_.size() > low) {
    regions_.push_back({GuestAddress{layout::gap_end}, mapping_.size() - low, low});
  }
}

std::optional<std::span<std::byte>> GuestMemory::slice(GuestAddress address,
                                                       std::uint64_t length) const {
  for (const auto& region : regions_) {
    if (address < region.start) continue;
    const std::uint64_t offset = address.value - region.start.value;
    if (offset >= region.size || length > region.size - offset) continue;
    return mapping_.bytes().subspan(region.host_offset + offset, length);
  }
  return std::nullopt;
}

bool GuestMemory::read(GuestAddress address, std::span<std::byte> out) const {
  const auto range = slice(address, out.size());
  if (range) std::memcpy(out.data(), range->data(), out.size());
  return range.has_value();
}

bool GuestMemory::write(GuestAddress address, std::span<const std::byte> bytes) const {
  const auto range = slice(address, bytes.size());
  if (range) std::memcpy(range->data(), bytes.data(), bytes.size());
  return range.has_value();
}

std::shared_ptr<const GuestMemory::File> GuestMemory::file_of(int fd) const {
  struct stat status {};
  if (::fstat(fd, &status) != 0) base::throw_errno("cannot examine descriptor {}", fd);
  for (const auto& window : windows_) {
    const auto& file = *window.file;
    if (file.device == status.st_dev && file.inode == status.st_ino) return window.file;
  }
  return std::make_shared<const File>(File{base::duplicate(fd), status.st_dev, status.st_ino});
}

bool GuestMemory::map_file(GuestAddress address, int fd, std::uint64_t offset,
                           std::uint64_t length) const {
  const auto range = slice(address, length);
  if (!range || (address.value | offset | length) % page != 0) return false;
  if (::mmap(range->data(), length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED | MAP_NORESERVE,
             fd, static_cast<off_t>(offset)) == MAP_FAILED) {
    return false;
  }
  const auto host_offset = static_cast<std::uint64_t>(range->data() - host_base());
  windows_.push_back({{host_offset, length}, file_of(fd), offset});
  return true;
}

std::vector<PageRange> GuestMemory::populated() const {
  PageSet pages(size() / page);
  add_pages(pages, host_base(), is_touched);
  for (const auto& window : windows_) {
    add_data(pages, window.pages, window.file->descriptor.get(), window.file_offset);
  }
  return ranges_of(pages);
}

std::vector<PageRange> GuestMemory::own_pages() const {
  PageSet pages(size() / page);
  add_pages(pages, host_base(), is_own);
  return ranges_of(pages);
}

void GuestMemory::make_own(const std::vector<PageRange>& pages) const {
  auto rest = pages;
  std::erase_if(rest, [&](const PageRange& range) { return !contains({0, size()}, range); });
  for (const auto& window : windows_) copy_from(window, rest);
  for (const auto& range : rest) {
    // A kernel that does not know the advice (before 5.14) leaves the pages to be touched.
    ::madvise(host_base() + range.host_offset, range.size, MADV_POPULATE_WRITE);
  }
}

// Takes what it could copy out of `pages`.
void GuestMemory::copy_from(const Window& window, std::vector<PageRange>& pages) const {
  if (std::ranges::none_of(pages, [&](const auto& range) { return contains(window.pages, range); }))
    return;
  const auto source =
      base::Mapping::of_file(window.file->descriptor.get(), window.pages.size, PROT_READ,
                             MAP_SHARED, static_cast<off_t>(window.file_offset));
  const auto target = mapping_.bytes().subspan(window.pages.host_offset, window.pages.size);
  const PageCopier copier(target);
  std::erase_if(pages, [&](const PageRange& range) {
    if (!contains(window.pages, range)) return false;
    const auto at = range.host_offset - window.pages.host_offset;
    return copier.copy(target.subspan(at, range.size), source.bytes().subspan(at, range.size));
  });
}

}  // namespace twinbox::vmm
