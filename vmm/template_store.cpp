#include "vmm/template_store.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <span>
#include <string>
#include <system_error>
#include <tuple>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/log.hpp"
#include "base/size.hpp"
#include "base/syscall.hpp"
#include "sandbox/paths.hpp"
#include "vmm/huge_layers.hpp"
#include "vmm/snapshot/format.hpp"

namespace twinbox::vmm {
namespace {

namespace fs = std::filesystem;

// Each takes some tens of megabytes.
constexpr std::size_t templates_kept = 8;
constexpr std::uint64_t usual_size = 48 * base::mebibyte;

struct Kept {
  fs::path path;
  timespec used;
  std::uint64_t bytes = 0;
};

fs::path lock_of(const fs::path& snapshot) { return fs::path(snapshot).replace_extension(".lock"); }

// See note_use(). One that nobody has a lock file of is as old as it is.
timespec last_use(const fs::path& snapshot) {
  struct stat status {};
  if (::stat(lock_of(snapshot).c_str(), &status) != 0) ::stat(snapshot.c_str(), &status);
  return status.st_mtim;
}

std::vector<Kept> templates_in(const fs::path& directory) {
  std::vector<Kept> kept;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(directory, none)) {
    struct stat status {};
    if (entry.path().extension() != ".snapshot" || ::stat(entry.path().c_str(), &status) != 0) {
      continue;
    }
    constexpr std::uint64_t block = 512;
    kept.push_back({entry.path(), last_use(entry.path()),
                    static_cast<std::uint64_t>(status.st_blocks) * block});
  }
  return kept;
}

// Those but `except`, the ones used last first.
std::vector<Kept> others_by_use(const fs::path& except) {
  auto kept = templates_in(except.parent_path());
  std::erase_if(kept, [&](const Kept& one) { return one.path == except; });
  std::ranges::sort(kept, std::greater(),
                    [](const Kept& one) { return std::tuple(one.used.tv_sec, one.used.tv_nsec); });
  return kept;
}

std::uint64_t room_beside(const fs::path& snapshot) {
  struct statvfs space {};
  if (::statvfs(snapshot.parent_path().c_str(), &space) != 0) {
    base::throw_errno("cannot examine {}", snapshot.parent_path().string());
  }
  return std::uint64_t{space.f_bavail} * space.f_frsize;
}

// In the lock's file, as a number in its own right: nobody else reads it.
std::uint64_t room_that_was_too_little(const base::Fd& lock) {
  std::uint64_t room = 0;
  return ::pread(lock.get(), &room, sizeof room, 0) == sizeof room ? room : 0;
}

bool is_mounted(const fs::path& directory) {
  struct stat here {};
  struct stat above {};
  return ::stat(directory.c_str(), &here) == 0 &&
         ::stat(directory.parent_path().c_str(), &above) == 0 && here.st_dev != above.st_dev;
}

}  // namespace

fs::path templates_directory() { return sandbox::run_root() / "templates"; }

void make_templates_directory(const fs::path& directory) {
  if (is_mounted(directory)) return;
  base::make_directories(directory);
  const auto parent = base::open_file(directory.parent_path(), O_RDONLY | O_DIRECTORY);
  if (::flock(parent.get(), LOCK_EX) != 0)
    base::throw_errno("cannot lock {}", directory.parent_path().string());
  if (is_mounted(directory)) return;
  // Where it cannot be mounted, the directory serves as well, only slower.
  for (const auto* options : {"mode=0700,huge=always", "mode=0700"}) {
    if (::mount("twinbox-templates", directory.c_str(), "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC,
                options) == 0) {
      return;
    }
  }
}

base::Fd lock_template(const fs::path& snapshot) {
  const auto path = lock_of(snapshot);
  auto lock = base::open_file(path, O_RDWR | O_CREAT, 0600);
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return {};
    base::throw_errno("cannot lock {}", path.string());
  }
  // It may have been removed by whoever held it before.
  struct stat held {};
  struct stat named {};
  const bool same = ::fstat(lock.get(), &held) == 0 && ::stat(path.c_str(), &named) == 0 &&
                    held.st_ino == named.st_ino;
  return same ? std::move(lock) : base::Fd();
}

// In the lock's time: most file systems note the time of a read only sometimes, or never.
void note_use(const fs::path& snapshot) {
  ::utimensat(AT_FDCWD, lock_of(snapshot).c_str(), nullptr, 0);
}

// The lock goes last, and only by whoever holds it.
bool remove_template(const fs::path& snapshot) {
  const auto lock = lock_template(snapshot);
  std::error_code ignored;
  if (!lock || !fs::remove(snapshot, ignored)) return false;
  // Its notes, and the drafts of such as were killed at one.
  for (const auto& entry : fs::directory_iterator(snapshot.parent_path(), ignored)) {
    if (entry.path().filename().string().starts_with(snapshot.filename().string() + ".")) {
      fs::remove(entry.path(), ignored);
    }
  }
  fs::remove(lock_of(snapshot), ignored);
  return true;
}

void remove_drafts(const fs::path& snapshot) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(snapshot.parent_path(), ignored)) {
    const auto name = entry.path().filename().string();
    if (name.starts_with(snapshot.filename().string() + ".") &&
        entry.path().extension() == snapshot::draft_suffix) {
      fs::remove(entry.path(), ignored);
    }
  }
}

bool try_to_remove(const fs::path& snapshot) {
  try {
    return remove_template(snapshot);
  } catch (const base::Error& error) {
    base::log(base::LogLevel::warning, "the template {} stays: {}", snapshot.string(),
              error.what());
    return false;
  }
}

void make_room(const fs::path& snapshot, const base::Fd& lock) {
  const auto wanted = room_that_was_too_little(lock) + usual_size;
  auto others = others_by_use(snapshot);
  for (; room_beside(snapshot) < wanted && !others.empty(); others.pop_back()) {
    try_to_remove(others.back().path);
  }
  if (room_beside(snapshot) >= wanted) return;
  throw base::Error(base::ErrorKind::system,
                    fmt::format("{} has no room for a template, which may take {}",
                                snapshot.parent_path().string(), base::format_size(wanted)),
                    "`twinbox snapshot prune` removes what no machine uses", ENOSPC);
}

void note_no_room(const fs::path& snapshot, const base::Fd& lock) {
  const auto room = room_beside(snapshot);
  // Where even this does not fit, the next one tries again.
  base::pwrite_all(lock.get(), std::as_bytes(std::span(&room, 1)), 0);
}

void remove_old_templates(const fs::path& made) {
  const auto others = others_by_use(made);
  for (std::size_t i = templates_kept - 1; i < others.size(); ++i) try_to_remove(others[i].path);
}

std::uint64_t prune_templates(const fs::path& directory) {
  std::uint64_t freed = 0;
  for (const auto& one : templates_in(directory)) {
    if (remove_template(one.path)) freed += one.bytes;
  }
  freed += HugeLayers(directory).prune();
  if (is_mounted(directory)) ::umount2(directory.c_str(), 0);  // it stays while it is in use
  return freed;
}

}  // namespace twinbox::vmm
