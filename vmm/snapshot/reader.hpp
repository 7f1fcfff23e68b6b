// A snapshot's file, checked before any of it is used.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/fd.hpp"
#include "vmm/memory/guest_memory.hpp"
#include "vmm/snapshot/format.hpp"

namespace twinbox::vmm::snapshot {

class Snapshot {
 public:
  // Throws base::Error that names the path and says why it cannot be used: it is no snapshot, it is
  // damaged, or it was written by another version or under another kernel.
  explicit Snapshot(const std::string& path);

  std::uint64_t memory_size() const { return header_.memory_size; }
  unsigned cpus() const { return header_.cpus; }
  // What was given to write().
  std::span<const std::byte> state() const { return state_; }

  // Reads all of the memory; throws base::Error when anything in it has changed. Once for each
  // file: where one was found whole and not written to since is noted beside it.
  void check_memory() const;
  // Puts the file's data in place of the guest's RAM, page for page as they are touched. The
  // guest's writes stay its own. The memory must be as new.
  void map_into(const GuestMemory& memory) const;

 private:
  void read_header();
  void read_state();
  void check_extents() const;
  void read_memory() const;
  std::string identity() const;
  std::vector<PageRange> units_with_data() const;
  void check_zero(std::uint64_t from, std::uint64_t to) const;
  [[noreturn]] void damaged(const std::string& how) const;

  std::string path_;
  base::Fd file_;
  Header header_;
  std::vector<Extent> extents_;
  std::vector<std::byte> state_;
};

}  // namespace twinbox::vmm::snapshot
