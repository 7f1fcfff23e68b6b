#include "vmm/snapshot/reader.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/syscall.hpp"
#include "vmm/snapshot/archive.hpp"
#include "vmm/snapshot/host.hpp"

namespace twinbox::vmm::snapshot {
namespace {

constexpr std::uint64_t mapping_unit = 2U << 20;  // a huge page
constexpr std::uint64_t largest_machine_state = 64U << 20;

}  // namespace

Snapshot::Snapshot(const std::string& path)
    : path_(path), file_(base::open_file(path, O_RDONLY | O_NONBLOCK)) {  // a pipe has no writer
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
  if (!S_ISREG(status.st_mode)) damaged("it is not a file");
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
  // By subtraction: a sum of what the header says may wrap.
  const auto after_header = size - memory_offset;
  if (header_.memory_size > after_header ||
      header_.state_size != after_header - header_.memory_size ||
      header_.state_offset != memory_offset + header_.memory_size) {
    damaged(fmt::format("it has {} bytes, and not those of {} and {}", size, header_.memory_size,
                        header_.state_size));
  }
  // An extent for each page, at the most, and what KVM and the devices have to say.
  const auto most_extents = header_.memory_size / GuestMemory::page_size;
  if (header_.state_size > largest_machine_state + most_extents * sizeof(Extent)) {
    damaged(fmt::format("it has {} bytes of state", header_.state_size));
  }
}

void Snapshot::read_state() {
  std::vector<std::byte> bytes(header_.state_size);
  base::pread_exact(file_.get(), bytes, header_.state_offset);
  if (checksum(bytes) != header_.state_checksum) damaged("the checksum of its state is wrong");
  StateReader reader(bytes);
  extents_ = reader.get_list<Extent>();
  state_ = reader.get_list<std::byte>();
  if (!reader.at_end()) damaged("something follows its state");
  check_extents();
}

// In order, of whole pages, within the memory.
void Snapshot::check_extents() const {
  constexpr auto page = GuestMemory::page_size;
  std::uint64_t end = 0;
  for (const auto& extent : extents_) {
    const bool whole = extent.size != 0 && (extent.offset | extent.size) % page == 0;
    if (!whole || extent.offset < end || extent.offset > header_.memory_size ||
        extent.size > header_.memory_size - extent.offset) {
      damaged(fmt::format("it has no {} bytes of memory at {:#x}", extent.size, extent.offset));
    }
    end = extent.offset + extent.size;
  }
}

// Whoever writes to the file gives it another time.
std::string Snapshot::identity() const {
  struct stat status {};
  if (::fstat(file_.get(), &status) != 0) base::throw_errno("cannot examine {}", path_);
  return fmt::format("{} {} {} {}.{:09}\n", status.st_dev, status.st_ino, status.st_size,
                     status.st_ctim.tv_sec, status.st_ctim.tv_nsec);
}

void Snapshot::check_memory() const {
  const auto note = path_ + checked_suffix;
  const auto current = identity();
  std::string noted(current.size(), '\0');
  const base::Fd file(::open(note.c_str(), O_RDONLY | O_CLOEXEC));
  if (file &&
      ::read(file.get(), noted.data(), noted.size()) == static_cast<ssize_t>(noted.size()) &&
      noted == current) {
    return;
  }
  read_memory();
  try {
    base::write_file_atomic(note, current);
  } catch (const base::Error&) {
    // It is read again then.
  }
}

void Snapshot::read_memory() const {
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

// Units without data stay as they are: memory of our own, which the host can back by huge pages.
std::vector<PageRange> Snapshot::units_with_data() const {
  std::vector<PageRange> units;
  for (const auto& extent : extents_) {
    const auto from = extent.offset / mapping_unit * mapping_unit;
    const auto end = extent.offset + extent.size + mapping_unit - 1;
    const auto to = std::min(end / mapping_unit * mapping_unit, header_.memory_size);
    if (!units.empty() && from <= units.back().host_offset + units.back().size) {
      units.back().size = to - units.back().host_offset;
    } else {
      units.push_back({.host_offset = from, .size = to - from});
    }
  }
  return units;
}

void Snapshot::map_into(const GuestMemory& memory) const {
  for (const auto& unit : units_with_data()) {
    for (const auto& region : memory.regions()) {
      const auto from = std::max(unit.host_offset, region.host_offset);
      const auto to = std::min(unit.host_offset + unit.size, region.host_offset + region.size);
      if (from >= to) continue;
      const GuestAddress start{region.start.value + (from - region.host_offset)};
      if (!memory.map_file(start, file_.get(), memory_offset + from, to - from)) {
        base::throw_errno("cannot map the memory of the snapshot {}", path_);
      }
    }
  }
}

}  // namespace twinbox::vmm::snapshot
