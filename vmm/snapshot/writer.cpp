#include "vmm/snapshot/writer.hpp"

#include <fcntl.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <vector>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/syscall.hpp"
#include "vmm/snapshot/archive.hpp"
#include "vmm/snapshot/format.hpp"
#include "vmm/snapshot/host.hpp"

namespace twinbox::vmm::snapshot {
namespace {

constexpr std::uint64_t page = GuestMemory::page_size;
constexpr std::uint64_t longest_extent = std::uint64_t{1} << 20;

// A file under a passing name, gone unless it was kept.
class PartialFile {
 public:
  explicit PartialFile(const std::string& path)
      : path_(path),
        passing_(fmt::format("{}.{}{}", path, ::getpid(), draft_suffix)),
        file_(base::open_file(passing_, O_RDWR | O_CREAT | O_TRUNC, 0600)) {}
  PartialFile(const PartialFile&) = delete;
  PartialFile& operator=(const PartialFile&) = delete;
  ~PartialFile() {
    if (!passing_.empty()) ::unlink(passing_.c_str());
  }

  int fd() const { return file_.get(); }

  void keep() {
    if (::fsync(fd()) != 0) base::throw_errno("cannot sync {}", passing_);
    if (::rename(passing_.c_str(), path_.c_str()) != 0)
      base::throw_errno("cannot rename {}", passing_);
    passing_.clear();
    const auto parent = std::filesystem::path(path_).parent_path();
    const auto directory =
        base::open_file(parent.empty() ? "." : parent.string(), O_RDONLY | O_DIRECTORY);
    if (::fsync(directory.get()) != 0) base::throw_errno("cannot sync its directory");
  }

 private:
  std::string path_;
  std::string passing_;
  base::Fd file_;
};

bool is_zero(std::span<const std::byte> bytes) {
  return bytes[0] == std::byte{} &&
         std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0;
}

// The runs of pages in `range` that are not all zero, none longer than an extent may be.
void add_extents(std::vector<Extent>& extents, std::span<const std::byte> memory, PageRange range) {
  bool joined = false;
  for (std::uint64_t at = range.host_offset; at < range.host_offset + range.size; at += page) {
    if (is_zero(memory.subspan(at, page))) {
      joined = false;
    } else if (joined && extents.back().size < longest_extent) {
      extents.back().size += page;
    } else {
      extents.push_back({.offset = at, .size = page, .checksum = 0});
      joined = true;
    }
  }
}

std::vector<Extent> write_memory(int fd, const GuestMemory& memory) {
  const std::span<const std::byte> all(memory.host_base(), memory.size());
  std::vector<Extent> extents;
  for (const auto& range : memory.populated()) add_extents(extents, all, range);
  for (auto& extent : extents) {
    const auto bytes = all.subspan(extent.offset, extent.size);
    extent.checksum = checksum(bytes);
    base::pwrite_all(fd, bytes, memory_offset + extent.offset);
  }
  return extents;
}

void write_whole(const std::string& path, const GuestMemory& memory, unsigned cpus,
                 std::span<const std::byte> state) {
  PartialFile file(path);
  const std::uint64_t state_offset = memory_offset + memory.size();
  if (::ftruncate(file.fd(), static_cast<off_t>(state_offset)) != 0) {
    base::throw_errno("cannot make {} bytes of it", state_offset);
  }
  const auto extents = write_memory(file.fd(), memory);
  StateWriter whole;
  whole.put_list(std::span(extents));
  whole.put_list(state);
  base::pwrite_all(file.fd(), whole.bytes(), state_offset);

  Header header = header_of_this_host();
  header.memory_size = memory.size();
  header.state_offset = state_offset;
  header.state_size = whole.bytes().size();
  header.state_checksum = checksum(whole.bytes());
  header.cpus = cpus;
  header.header_checksum = checksum(header);
  base::pwrite_all(file.fd(), std::as_bytes(std::span(&header, 1)), 0);
  file.keep();
}

const char* hint_for(int error_number) {
  if (!base::is_out_of_room(error_number)) return "";
  return "make room: `twinbox snapshot prune` removes the templates that machines start from, and "
         "`twinbox snapshot rm` snapshots";
}

}  // namespace

void write(const std::string& path, const GuestMemory& memory, unsigned cpus,
           std::span<const std::byte> state) {
  try {
    write_whole(path, memory, cpus, state);
  } catch (const base::Error& error) {
    throw base::Error(error.kind(),
                      fmt::format("cannot write the snapshot {}: {}", path, error.message()),
                      hint_for(error.number()), error.number());
  }
}

}  // namespace twinbox::vmm::snapshot
