// The snapshots of this host: ROOT/snapshots/NAME/snapshot.json, and beside it what the engine of
// the box wrote.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sandbox/paths.hpp"
#include "supervise/snapshot_record.hpp"

namespace twinbox::supervise {

// Safe with any number of processes at once. One is made, and removed, in ROOT/work, where what a
// killed process leaves is swept with all else there (image::Store::sweep), and is under its name
// whole or not at all.
class SnapshotStore {
 public:
  explicit SnapshotStore(const std::filesystem::path& root = sandbox::data_root())
      : snapshots_(root / "snapshots"), work_(root / "work") {}

  // Throws base::Error: usage for what is no name, conflict where there is one of this name.
  void check_new(const std::string& name) const;
  // `save` fills the directory that it is given; the box and its workload are in `record`, whose
  // other fields are filled in here. Errors as of check_new(), and what `save` throws.
  using Save = std::function<void(const std::filesystem::path& directory)>;
  SnapshotRecord create(SnapshotRecord record, const Save& save) const;

  // Newest first; one that cannot be read is left out with a warning.
  std::vector<SnapshotRecord> list() const;
  // Throws base::Error (not_found): "no such snapshot: NAME".
  SnapshotRecord find(std::string_view name) const;
  // The one that had this id, for a box that was made of it. Throws base::Error (not_found).
  SnapshotRecord find(std::string_view name, std::string_view id) const;
  // Nullopt where it is there and cannot be read. Throws base::Error (not_found).
  std::optional<SnapshotRecord> find_readable(const std::string& name) const;
  std::filesystem::path directory(const std::string& name) const { return snapshots_ / name; }
  // Bytes of disk that it takes.
  std::uint64_t size(const std::string& name) const;
  // Also one that cannot be read. Boxes that go on from it keep what they have. Throws base::Error
  // (not_found).
  void remove(const std::string& name) const;

 private:
  std::filesystem::path snapshots_;
  std::filesystem::path work_;
};

}  // namespace twinbox::supervise
