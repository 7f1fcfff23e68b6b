#include "supervise/snapshot_store.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <optional>
#include <system_error>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/log.hpp"
#include "base/syscall.hpp"
#include "sandbox/owned_directory.hpp"
#include "supervise/names.hpp"
#include "supervise/time.hpp"

namespace twinbox::supervise {
namespace {

namespace fs = std::filesystem;

constexpr const char* record_file = "snapshot.json";

[[noreturn]] void refuse_taken(const std::string& name) {
  throw base::Error(base::ErrorKind::conflict,
                    fmt::format("there is a snapshot '{}' already", name),
                    fmt::format("choose another name, or: twinbox snapshot rm {}", name));
}

[[noreturn]] void refuse_missing(std::string_view name) {
  throw base::Error(base::ErrorKind::not_found, fmt::format("no such snapshot: {}", name),
                    "see: twinbox snapshot ls");
}

void sync_directory(const fs::path& path) {
  const auto directory = base::open_file(path, O_RDONLY | O_DIRECTORY);
  if (::fsync(directory.get()) != 0) base::throw_errno("cannot write {}", path.string());
}

// nullopt where there is none; throws base::Error where it is there and cannot be read.
std::optional<SnapshotRecord> read(const fs::path& directory) {
  const auto file = directory / record_file;
  std::error_code unknown;
  if (!fs::exists(file, unknown)) return std::nullopt;
  return snapshot_record_from_json(base::read_file(file), file.string());
}

bool may_be_name(std::string_view name) {
  return !name.empty() && name.find('/') == std::string_view::npos && !name.starts_with('.');
}

}  // namespace

void SnapshotStore::check_new(const std::string& name) const {
  check_name(name, "snapshot");
  std::error_code unknown;
  if (fs::exists(snapshots_ / name, unknown)) refuse_taken(name);
}

SnapshotRecord SnapshotStore::create(SnapshotRecord record, const Save& save) const {
  check_new(record.name);
  const auto work = sandbox::OwnedDirectory::create(work_);
  const auto draft = work.path() / "snapshot";
  base::make_directories(draft);
  save(draft);
  record.id = work.name();
  record.created = now();
  base::write_file_atomic(draft / record_file, to_json(record));
  sync_directory(draft);
  base::make_directories(snapshots_);
  const auto place = snapshots_ / record.name;
  if (::renameat2(AT_FDCWD, draft.c_str(), AT_FDCWD, place.c_str(), RENAME_NOREPLACE) != 0) {
    if (errno == EEXIST) refuse_taken(record.name);
    base::throw_errno("cannot make {}", place.string());
  }
  sync_directory(snapshots_);
  return record;
}

std::vector<SnapshotRecord> SnapshotStore::list() const {
  std::vector<SnapshotRecord> records;
  for (const auto& name : base::names_in(snapshots_)) {
    try {
      auto record = read(snapshots_ / name);
      if (!record) {
        throw base::Error(base::ErrorKind::not_found,
                          fmt::format("{} has no {}", (snapshots_ / name).string(), record_file));
      }
      records.push_back(std::move(*record));
    } catch (const base::Error& error) {
      base::log(base::LogLevel::warning, "{}", error.what());
    }
  }
  std::ranges::sort(records, std::greater(), &SnapshotRecord::created);
  return records;
}

SnapshotRecord SnapshotStore::find(std::string_view name) const {
  if (!may_be_name(name)) refuse_missing(name);
  auto record = read(snapshots_ / name);
  if (!record) refuse_missing(name);
  return std::move(*record);
}

std::optional<SnapshotRecord> SnapshotStore::find_readable(const std::string& name) const {
  std::error_code unknown;
  if (!may_be_name(name) || !fs::exists(snapshots_ / name, unknown)) refuse_missing(name);
  try {
    return read(snapshots_ / name);
  } catch (const base::Error&) {
    return std::nullopt;
  }
}

SnapshotRecord SnapshotStore::find(std::string_view name, std::string_view id) const {
  auto record = find(name);
  if (record.id == id) return record;
  throw base::Error(base::ErrorKind::not_found,
                    fmt::format("the snapshot '{}' that the box was made of is gone", name),
                    "another one has its name; remove the box, and run from that one");
}

std::uint64_t SnapshotStore::size(const std::string& name) const {
  std::uint64_t bytes = 0;
  for (const auto& file : base::names_in(snapshots_ / name)) {
    struct stat status {};
    constexpr std::uint64_t block = 512;
    if (::stat((snapshots_ / name / file).c_str(), &status) == 0) {
      bytes += static_cast<std::uint64_t>(status.st_blocks) * block;
    }
  }
  return bytes;
}

// Gone for everybody in one step; the rest may be left to a sweep.
void SnapshotStore::remove(const std::string& name) const {
  if (!may_be_name(name)) refuse_missing(name);
  const auto work = sandbox::OwnedDirectory::create(work_);
  const auto place = snapshots_ / name;
  if (::rename(place.c_str(), (work.path() / "snapshot").c_str()) == 0) return;
  if (errno == ENOENT) refuse_missing(name);
  base::throw_errno("cannot remove {}", place.string());
}

}  // namespace twinbox::supervise
