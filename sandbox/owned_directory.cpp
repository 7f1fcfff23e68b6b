#include "sandbox/owned_directory.hpp"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <mutex>
#include <optional>
#include <set>
#include <string_view>
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

constexpr auto lock_name = "lock";

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

// A process's own record locks do not stop it from taking them again, so it has to know which
// directories are its own. Those of the process that it was forked from are not.
class OwnDirectories {
 public:
  void add(const fs::path& path) {
    const std::lock_guard guard(mutex_);
    of_this_process().insert(path);
  }
  void remove(const fs::path& path) {
    const std::lock_guard guard(mutex_);
    of_this_process().erase(path);
  }
  bool has(const fs::path& path) {
    const std::lock_guard guard(mutex_);
    return of_this_process().contains(path);
  }

 private:
  std::set<fs::path>& of_this_process() {
    const pid_t process = ::getpid();
    if (std::exchange(process_, process) != process) paths_.clear();
    return paths_;
  }

  std::mutex mutex_;
  pid_t process_ = 0;
  std::set<fs::path> paths_;
};

OwnDirectories& own_directories() {
  static OwnDirectories directories;
  return directories;
}

bool is_free(const base::Fd& lock_file, const fs::path& path) {
  struct flock whole {};
  whole.l_type = F_WRLCK;
  whole.l_whence = SEEK_SET;
  if (::fcntl(lock_file.get(), F_SETLK, &whole) == 0) return true;
  if (errno == EAGAIN || errno == EACCES) return false;
  base::throw_errno("cannot lock {}", path.string());
}

// The lock on the directory at `path`, if it is there and no process has it. A lock file that was
// removed after it was opened is not the one at `path` any more: its lock is worth nothing.
std::optional<base::Fd> try_lock(const fs::path& path) {
  const auto file = path / lock_name;
  // Made only in a second look-up: one that found the directory just before its owner gave it up
  // (rename, then removal) would make a file that the removal does not expect.
  constexpr int flags = O_RDWR | O_NOFOLLOW | O_CLOEXEC;
  base::Fd fd(::open(file.c_str(), flags));
  if (!fd && errno == ENOENT) fd = base::Fd(::open(file.c_str(), flags | O_CREAT, 0600));
  if (!fd && errno == ENOENT) return std::nullopt;
  if (!fd) base::throw_errno("cannot open {}", file.string());
  if (!is_free(fd, file)) return std::nullopt;
  struct stat locked {};
  struct stat named {};
  if (::fstat(fd.get(), &locked) != 0 || ::lstat(file.c_str(), &named) != 0) return std::nullopt;
  if (locked.st_ino != named.st_ino || locked.st_dev != named.st_dev) return std::nullopt;
  return fd;
}

std::string gone_name(const fs::path& path) { return path.string() + std::string(gone_suffix); }

// Nothing happens where that was done before.
void move_away(const fs::path& path) {
  if (::rename(path.c_str(), gone_name(path).c_str()) != 0 && errno != ENOENT) {
    base::throw_errno("cannot remove {}", path.string());
  }
}

// Under another name first: were its lock file removed while it has its own, the next process to
// look would make a new one and lock that.
void discard(const fs::path& path) {
  move_away(path);
  base::remove_tree(gone_name(path));
}

void sweep_one(const fs::path& path, const std::function<void(const fs::path&)>& undo) {
  try {
    // Any number of processes may remove at once what has been given up already.
    if (path.filename().string().ends_with(gone_suffix)) return base::remove_tree(path);
    if (own_directories().has(path)) return;
    const auto lock = try_lock(path);
    if (!lock) return;
    if (undo) undo(path);
    discard(path);
  } catch (const base::Error& error) {
    base::log(base::LogLevel::warning, "cannot undo what {} left: {}", path.string(), error.what());
  }
}

}  // namespace

OwnedDirectory OwnedDirectory::create(const fs::path& parent) {
  // A sweep that comes between mkdir and the lock takes the new directory for an ownerless one. It
  // then wins the lock and try_lock() fails here: the next name is tried.
  for (int attempt = 0; attempt < 100; ++attempt) {
    auto path = parent / random_name();
    own_directories().add(path);
    try {
      auto lock = make_directory(path) ? try_lock(path) : std::nullopt;
      if (lock) return {std::move(path), std::move(*lock)};
    } catch (const base::Error&) {
      ::rmdir(path.c_str());
      own_directories().remove(path);
      throw;
    }
    own_directories().remove(path);
  }
  throw base::Error(base::ErrorKind::conflict,
                    fmt::format("cannot make a directory of our own in {}", parent.string()));
}

std::optional<OwnedDirectory> OwnedDirectory::take(const fs::path& path) {
  // Before the lock: closing any descriptor of the lock file would drop a lock that we have
  // already.
  if (own_directories().has(path)) return std::nullopt;
  auto lock = try_lock(path);
  if (!lock) return std::nullopt;
  own_directories().add(path);
  return OwnedDirectory(path, std::move(*lock));
}

std::optional<pid_t> owner_of(const fs::path& path) {
  const base::Fd file(::open((path / lock_name).c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC));
  struct flock whole {};
  whole.l_type = F_WRLCK;
  whole.l_whence = SEEK_SET;
  if (!file || ::fcntl(file.get(), F_GETLK, &whole) != 0 || whole.l_type == F_UNLCK) {
    return std::nullopt;
  }
  return whole.l_pid;
}

void OwnedDirectory::give_up() { move_away(path_); }

void OwnedDirectory::release() {
  if (!lock_) return;
  lock_.reset();
  own_directories().remove(path_);
}

OwnedDirectory::~OwnedDirectory() {
  if (!lock_ || !own_directories().has(path_)) return;
  try {
    discard(path_);
  } catch (const base::Error& error) {
    base::log(base::LogLevel::warning, "{}", error.what());
  }
  own_directories().remove(path_);
}

void sweep_ownerless(const fs::path& parent, const std::function<void(const fs::path&)>& undo) {
  for (const auto& name : base::names_in(parent)) sweep_one(parent / name, undo);
}

}  // namespace twinbox::sandbox
