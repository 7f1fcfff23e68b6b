#include "sandbox/owned_directory.hpp"

#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdint>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/log.hpp"
#include "base/syscall.hpp"

namespace twinbox::sandbox {
namespace {

namespace fs = std::filesystem;

std::string random_name() {
  std::uint64_t bits = 0;
  if (::getrandom(&bits, sizeof bits, 0) != sizeof bits) base::throw_errno("no random bytes");
  return fmt::format("{:012x}", bits & 0xffff'ffff'ffffU);
}

bool make_directory(const fs::path& path) {
  if (::mkdir(path.c_str(), 0700) == 0) return true;
  if (errno != ENOENT && errno != EEXIST) {
    base::throw_errno("cannot make directory {}", path.string());
  }
  if (errno == ENOENT) base::make_directories(path.parent_path());
  return false;
}

// The lock on the directory at `path`, if it is there and nobody has it. A directory that was
// removed between open and flock is not the one at `path` any more: its lock is worth nothing.
std::optional<base::Fd> try_lock(const fs::path& path) {
  base::Fd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd || ::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) return std::nullopt;
  struct stat locked {};
  struct stat named {};
  if (::fstat(fd.get(), &locked) != 0 || ::lstat(path.c_str(), &named) != 0) return std::nullopt;
  if (locked.st_ino != named.st_ino || locked.st_dev != named.st_dev) return std::nullopt;
  return fd;
}

void sweep_one(const fs::path& path, const std::function<void(const fs::path&)>& undo) {
  const auto lock = try_lock(path);
  if (!lock) return;
  try {
    if (undo) undo(path);
    base::remove_tree(path);
  } catch (const base::Error& error) {
    base::log(base::LogLevel::warning, "cannot undo what {} left: {}", path.string(), error.what());
  }
}

}  // namespace

OwnedDirectory OwnedDirectory::create(const fs::path& parent) {
  // A sweep that comes between mkdir and flock takes the new directory for an ownerless one. It
  // then wins the lock and try_lock() fails here: the next name is tried.
  for (int attempt = 0; attempt < 100; ++attempt) {
    auto path = parent / random_name();
    if (!make_directory(path)) continue;
    if (auto lock = try_lock(path)) return {std::move(path), std::move(*lock)};
  }
  throw base::Error(base::ErrorKind::conflict,
                    fmt::format("cannot make a directory of our own in {}", parent.string()));
}

OwnedDirectory::~OwnedDirectory() {
  if (!lock_) return;
  try {
    base::remove_tree(path_);
  } catch (const base::Error& error) {
    base::log(base::LogLevel::warning, "{}", error.what());
  }
}

void sweep_ownerless(const fs::path& parent, const std::function<void(const fs::path&)>& undo) {
  std::error_code missing;
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(parent, missing)) found.push_back(entry.path());
  for (const auto& path : found) sweep_one(path, undo);
}

}  // namespace twinbox::sandbox
