#include "vmm/memory/image_memory.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <span>
#include <utility>

#include "base/error.hpp"
#include "base/syscall.hpp"
#include "vmm/layout.hpp"

namespace twinbox::vmm {
namespace {

constexpr std::uint64_t page = GuestMemory::page_size;
// As for RAM: KVM maps huge pages where the host has them, and both addresses agree.
constexpr std::uint64_t huge_page = 2U << 20;

GuestAddress beyond(const GuestMemory& ram) {
  const auto& last = ram.regions().back();
  const auto end = std::max(last.start.value + last.size, layout::gap_end);
  constexpr auto unit = layout::image_alignment;
  return {(end + unit - 1) / unit * unit};
}

std::uint64_t size_of(int fd, const std::string& path) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) base::throw_errno("cannot examine {}", path);
  return static_cast<std::uint64_t>(status.st_size);
}

bool map_at(std::span<std::byte> place, int protection, int flags, int fd) {
  return ::mmap(place.data(), place.size(), protection, MAP_PRIVATE | MAP_FIXED | flags, fd, 0) !=
         MAP_FAILED;
}

void protect(std::span<std::byte> range, int protection) {
  if (::mprotect(range.data(), range.size(), protection) != 0) {
    base::throw_errno("cannot protect {} bytes", range.size());
  }
}

}  // namespace

ImageMemory::ImageMemory(const GuestMemory& ram, std::uint64_t size) : start_(beyond(ram)) {
  if (size == 0 || size % huge_page != 0) {
    throw base::Error(base::ErrorKind::usage,
                      fmt::format("an image's memory cannot have {} bytes", size),
                      "give it a multiple of 2 MiB");
  }
  mapping_ = base::Mapping::anonymous_aligned(size, huge_page);
  protect(mapping_.bytes(), PROT_READ);
}

void ImageMemory::add(const std::string& path, std::uint64_t offset, std::uint64_t size) {
  auto file = base::open_file(path, O_RDONLY);
  if (size == 0 || offset % page != 0 || offset > mapping_.size() ||
      size > mapping_.size() - offset) {
    throw base::Error(base::ErrorKind::usage,
                      fmt::format("{} does not fit into the image's memory", path));
  }
  if (size_of(file.get(), path) < size) {
    throw base::Error(base::ErrorKind::conflict, fmt::format("{} is shorter than it was", path),
                      "do not change files that machines use");
  }
  const std::span place(mapping_.data() + offset, size);
  if (!map_at(place, PROT_READ, 0, file.get())) {
    if (errno != ENODEV) base::throw_errno("cannot map {}", path);
    // What was there is gone even so.
    if (!map_at(place, PROT_READ | PROT_WRITE, MAP_ANONYMOUS, -1)) {
      base::throw_errno("cannot map {} bytes", size);
    }
    base::pread_exact(file.get(), place, 0);
    return protect(place, PROT_READ);
  }
  files_.push_back({path, std::move(file), size});
}

std::optional<std::string> ImageMemory::shortened() const {
  for (const auto& [path, file, size] : files_) {
    struct stat status {};
    if (::fstat(file.get(), &status) == 0 && static_cast<std::uint64_t>(status.st_size) < size) {
      return path;
    }
  }
  return std::nullopt;
}

}  // namespace twinbox::vmm
