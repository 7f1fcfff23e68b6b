#include "vmm/snapshot/reader.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "base/error.hpp"
#include "base/syscall.hpp"
#include "vmm/snapshot/archive.hpp"
#include "vmm/snapshot/host.hpp"

namespace twinbox::vmm::snapshot {

Snapshot::Snapshot(const std::string& path) : path_(path), file_(base::open_file(path, O_RDONLY)) {
  read_header();
  check_host(header_, path_);
  read_state();
}

void Snapshot::damaged(const std::string& how) const {
  throw base::Error(base::ErrorKind::unsupported,
                    fmt::format("the snapshot {} is damaged: {}", path_, how),
                    "remove it, and take it again");
}

// The checksum comes first, but not before the version: another version may have another header.
void Snapshot::read_header() {
  struct stat status {};
  if (::fstat(file_.get(), &status) != 0) base::throw_errno("cannot examine {}", path_);
  const auto size = static_cast<std::uint64_t>(status.st_size);
  if (size < memory_offset) damaged("it is shorter than its header");
  base::pread_exact(file_.get(), std::as_writable_bytes(std::span(&header_, 1)), 0);
  if (header_.magic != magic) {
    throw base::Error(base::ErrorKind::unsupported,
                      fmt::format("{} is no snapshot of a machine", path_));
  }
  if (header_.version != format_version) check_host(header_, path_);
  if (header_.header_checksum != checksum(header_)) {
    damaged("the checksum of its header is wrong");
  }
  if (size != header_.state_offset + header_.state_size ||
      header_.state_offset != memory_offset + header_.memory_size) {
    damaged(fmt::format("it has {} bytes instead of {}", size,
                        header_.state_offset + header_.state_size));
  }
}

void Snapshot::read_state() {
  std::vector<std::byte> bytes(header_.state_size);
  base::pread_exact(file_.get(), bytes, header_.state_offset);
  if (checksum(bytes) != header_.state_checksum) damaged("the checksum of its state is wrong");
  StateReader reader(bytes);
  extents_ = reader.get_list<Extent>();
  state_ = reader.get_list<std::byte>();
}

void Snapshot::check_memory() const {
  std::uint64_t end = 0;
  std::vector<std::byte> bytes;
  for (const auto& extent : extents_) {
    check_zero(end, extent.offset);
    bytes.resize(extent.size);
    base::pread_exact(file_.get(), bytes, memory_offset + extent.offset);
    if (checksum(bytes) != extent.checksum) {
      damaged(fmt::format("the checksum of its memory at {:#x} is wrong", extent.offset));
    }
    end = extent.offset + extent.size;
  }
  check_zero(end, header_.memory_size);
}

// What is no hole between extents must read as one: not every file system has holes.
void Snapshot::check_zero(std::uint64_t from, std::uint64_t to) const {
  const int fd = file_.get();
  const auto end = static_cast<off_t>(memory_offset + to);
  std::vector<std::byte> bytes;
  off_t at = from == to ? end : ::lseek(fd, static_cast<off_t>(memory_offset + from), SEEK_DATA);
  while (at >= 0 && at < end) {
    const off_t stop = std::min({::lseek(fd, at, SEEK_HOLE), end, at + (off_t{1} << 20)});
    bytes.resize(static_cast<std::size_t>(stop - at));
    base::pread_exact(fd, bytes, static_cast<std::uint64_t>(at));
    if (std::ranges::any_of(bytes, [](std::byte byte) { return byte != std::byte{}; })) {
      damaged(fmt::format("its memory at {:#x} is not zero",
                          static_cast<std::uint64_t>(at) - memory_offset));
    }
    at = ::lseek(fd, stop, SEEK_DATA);
  }
}

void Snapshot::map_into(const GuestMemory& memory) const {
  for (const auto& region : memory.regions()) {
    if (!memory.map_file(region.start, file_.get(), memory_offset + region.host_offset,
                         region.size)) {
      base::throw_errno("cannot map the memory of the snapshot {}", path_);
    }
  }
}

}  // namespace twinbox::vmm::snapshot
