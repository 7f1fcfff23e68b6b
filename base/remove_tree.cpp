#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/syscall.hpp"

namespace twinbox::base {
namespace {

// A workload may nest directories deeper than a process may have descriptors.
constexpr std::size_t most_open = 32;
constexpr std::size_t longest_shown = 4096;

Fd open_directory(int parent, const char* name) {
  open_how how{};
  how.flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  how.resolve = RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS;
  return Fd(static_cast<int>(::syscall(SYS_openat2, parent, name, &how, sizeof how)));
}

// Whoever made the tree may still change it, and no name in it is looked up twice: each step works
// on one name in a directory that is held, so that no link put there leads out of the tree.
class Removal {
 public:
  // `where` is shown before names.
  Removal(int parent, std::string where) : parent_(parent), where_(std::move(where)) {}

  void run(const std::string& name) {
    if (is_gone_as_file(parent_, name)) return;
    enter(parent_, name);
    while (!levels_.empty()) {
      auto& level = levels_.back();
      if (level.directories.empty()) {
        leave();
      } else {
        const auto next = std::move(level.directories.back());
        level.directories.pop_back();
        enter(level.handle.get(), next);
      }
    }
  }

 private:
  struct Level {
    std::string name;
    Fd handle;  // empty while the walk is far below
    dev_t device = 0;
    ino_t inode = 0;
    std::vector<std::string> directories = {};  // in it, still to be removed
  };

  // What others removed meanwhile is gone as well. False for a directory.
  bool is_gone_as_file(int parent, const std::string& name) const {
    if (::unlinkat(parent, name.c_str(), 0) == 0 || errno == ENOENT) return true;
    if (errno != EISDIR) throw_errno("cannot remove {}", shown(name));
    return false;
  }

  void enter(int parent, const std::string& name) {
    Level level{.name = name, .handle = open_directory(parent, name.c_str())};
    struct stat status {};
    if (!level.handle) return cannot_enter(parent, name);
    if (::fstat(level.handle.get(), &status) != 0) throw_errno("cannot remove {}", shown(name));
    level.device = status.st_dev;
    level.inode = status.st_ino;
    levels_.push_back(std::move(level));
    remove_files(levels_.back());
    if (levels_.size() > most_open) levels_[levels_.size() - 1 - most_open].handle.reset();
  }

  void cannot_enter(int parent, const std::string& name) const {
    const int error = errno;
    if (error == ENOENT) return;
    if (error == EXDEV) {
      throw Error(ErrorKind::conflict,
                  fmt::format("cannot remove {}: something is mounted there", shown(name)));
    }
    const bool was_replaced = error == ENOTDIR || error == ELOOP;
    if (was_replaced && is_gone_as_file(parent, name)) return;
    throw system_error(error, fmt::format("cannot remove {}", shown(name)));
  }

  // Leaves the directories' names.
  void remove_files(Level& level) {
    while (true) {
      const auto size = ::getdents64(level.handle.get(), buffer_.data(), buffer_.size());
      if (size < 0 && errno != ENOENT) throw_errno("cannot list {}", shown(""));
      if (size <= 0) return;
      for (ssize_t at = 0; at < size;) {
        const auto* const entry = reinterpret_cast<const dirent64*>(buffer_.data() + at);
        at += entry->d_reclen;
        const std::string name = entry->d_name;
        if (name == "." || name == "..") continue;
        const bool is_directory =
            entry->d_type == DT_DIR || !is_gone_as_file(level.handle.get(), name);
        if (is_directory) level.directories.push_back(name);
      }
    }
  }

  void leave() {
    const auto done = std::move(levels_.back());
    levels_.pop_back();
    if (!levels_.empty() && !levels_.back().handle) return_to(levels_.back(), done.handle.get());
    const int parent = levels_.empty() ? parent_ : levels_.back().handle.get();
    if (::unlinkat(parent, done.name.c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT) {
      throw_errno("cannot remove {}", shown(done.name));
    }
  }

  // ".." leads elsewhere where somebody has moved the directory.
  void return_to(Level& level, int from) const {
    level.handle = open_directory(from, "..");
    struct stat status {};
    if (!level.handle || ::fstat(level.handle.get(), &status) != 0) {
      throw_errno("cannot remove {}", shown(""));
    }
    if (status.st_dev != level.device || status.st_ino != level.inode) {
      throw Error(ErrorKind::conflict,
                  fmt::format("cannot remove {}: it was moved meanwhile", shown("")));
    }
  }

  std::string shown(std::string_view name) const {
    auto path = where_;
    for (const auto& level : levels_) {
      if (path.size() + name.size() > longest_shown) return path + ".../" + std::string(name);
      path += level.name + '/';
    }
    path += name;
    if (name.empty()) path.pop_back();
    return path;
  }

  int parent_;
  std::string where_;
  std::vector<Level> levels_;
  alignas(dirent64) std::array<char, 32768> buffer_;
};

}  // namespace

void remove_tree(const std::filesystem::path& path) {
  const auto whole = path.has_filename() ? path : path.parent_path();
  const auto above = whole.has_parent_path() ? whole.parent_path() : std::filesystem::path(".");
  const Fd parent(::open(above.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!parent && errno == ENOENT) return;
  if (!parent) throw_errno("cannot remove {}", path.string());
  Removal(parent.get(), (above / "").string()).run(whole.filename());
}

void remove_tree_at(int parent, const std::string& name) { Removal(parent, "").run(name); }

}  // namespace twinbox::base
