// What a guest finds in its physical memory beyond its RAM: files that all guests map, and none can
// write.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/fd.hpp"
#include "base/mapping.hpp"
#include "vmm/memory/guest_memory.hpp"

namespace twinbox::vmm {

// No device of ours reads or writes it: a guest that names it as the buffer of a request is wrong.
// So the pages of a file that was made shorter meanwhile are missed by vCPUs alone, which KVM tells
// us of.
class ImageMemory {
 public:
  // `size` in bytes, a multiple of 2 MiB. Reads as zeros until files are mapped.
  ImageMemory(const GuestMemory& ram, std::uint64_t size);

  GuestAddress start() const { return start_; }
  std::uint64_t size() const { return mapping_.size(); }
  std::byte* host_base() const { return mapping_.data(); }

  // Puts the first `size` bytes of a file at `offset`, a multiple of the page size. A file system
  // that maps no files has it read into memory. Throws base::Error that names the file.
  void add(const std::string& path, std::uint64_t offset, std::uint64_t size);

  // The path of a file that is shorter now than what was mapped of it.
  std::optional<std::string> shortened() const;

 private:
  struct File {
    std::string path;
    base::Fd file;
    std::uint64_t size = 0;
  };

  GuestAddress start_;
  base::Mapping mapping_;
  std::vector<File> files_;
};

}  // namespace twinbox::vmm
