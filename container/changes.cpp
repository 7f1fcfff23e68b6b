#include "container/changes.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "base/error.hpp"
#include "base/syscall.hpp"

namespace twinbox::container {
namespace {

namespace fs = std::filesystem;
using Kind = sandbox::FileChange::Kind;

struct DirectoryCloser {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

// overlayfs' mark of a file that is not there although a lower layer has it.
bool is_whiteout(const struct stat& info) { return S_ISCHR(info.st_mode) && info.st_rdev == 0; }

// overlayfs' mark of a directory that stands in place of those in lower layers.
constexpr const char* opaque_attribute = "trusted.overlay.opaque";

bool is_opaque(int directory) {
  char value = 'n';
  return ::fgetxattr(directory, opaque_attribute, &value, 1) == 1 && value == 'y';
}

bool is_opaque(const fs::path& directory) {
  char value = 'n';
  return ::lgetxattr(directory.c_str(), opaque_attribute, &value, 1) == 1 && value == 'y';
}

enum class Found {
  nothing,  // the layers below decide
  hidden,   // as good as nothing, and the layers below do not count
  there,
};

// Each component by itself: a link in the layer must not lead to the host's files.
Found look(const fs::path& layer, const fs::path& path) {
  auto place = layer;
  bool covers = false;
  for (const auto& component : path.relative_path()) {
    if (place != layer && is_opaque(place)) covers = true;
    place /= component;
    struct stat info {};
    if (::lstat(place.c_str(), &info) != 0) return covers ? Found::hidden : Found::nothing;
    const bool is_last = place == layer / path.relative_path();
    if (is_whiteout(info) || (!is_last && !S_ISDIR(info.st_mode))) return Found::hidden;
  }
  return Found::there;
}

// Whether the image has the file; `path` begins with a slash.
bool is_in_image(const std::vector<fs::path>& layers, const std::string& path) {
  for (auto layer = layers.rbegin(); layer != layers.rend(); ++layer) {
    const auto found = look(*layer, path);
    if (found != Found::nothing) return found == Found::there;
  }
  return false;
}

std::vector<std::string> names_in(int directory) {
  const std::unique_ptr<DIR, DirectoryCloser> stream(::fdopendir(::dup(directory)));
  if (!stream) base::throw_errno("cannot list the box's changes");
  std::vector<std::string> names;
  while (const auto* const entry = ::readdir(stream.get())) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
  }
  std::ranges::sort(names);
  return names;
}

// What is in the image's directory, of all its layers.
std::set<std::string> names_in_image(const std::vector<fs::path>& layers, const std::string& path) {
  std::set<std::string> names;
  for (const auto& layer : layers) {
    if (look(layer, path) != Found::there) continue;
    const base::Fd directory(
        ::open((layer.string() + path).c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!directory) continue;  // a file in this layer
    for (auto& name : names_in(directory.get())) {
      if (is_in_image(layers, path + "/" + name)) names.insert(std::move(name));
    }
  }
  return names;
}

// Nothing where the box has removed or replaced it meanwhile.
base::Fd open_below(int upper, const std::string& path) {
  open_how how{};
  how.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;
  const auto relative = "." + path;
  base::Fd directory(
      static_cast<int>(::syscall(SYS_openat2, upper, relative.c_str(), &how, sizeof how)));
  if (directory || errno == ENOENT || errno == ENOTDIR || errno == ELOOP) return directory;
  if (errno != ENAMETOOLONG) base::throw_errno("cannot list the box's changes");
  throw base::Error(base::ErrorKind::unsupported,
                    fmt::format("cannot list the box's changes: it has directories in each other "
                                "deeper than a path's {} bytes, in {}",
                                PATH_MAX, path.substr(0, path.find('/', 1))));
}

class Walk {
 public:
  Walk(const std::vector<fs::path>& layers, const std::set<std::string>& passed_over)
      : layers_(layers), passed_over_(passed_over) {}

  // One descriptor at a time, however deep the box has nested its directories.
  void run(int upper) {
    directories_.emplace_back();
    while (!directories_.empty()) {
      const auto path = std::move(directories_.back());
      directories_.pop_back();
      if (const auto directory = open_below(upper, path)) enter(directory.get(), path);
    }
  }
  std::vector<sandbox::FileChange> take() {
    std::ranges::sort(changes_, {}, &sandbox::FileChange::path);
    return std::move(changes_);
  }

 private:
  void enter(int directory, const std::string& path) {
    const auto names = names_in(directory);
    if (is_opaque(directory)) add_deleted(path, {names.begin(), names.end()});
    for (const auto& name : names) visit(directory, name, path + "/" + name);
  }

  void add_deleted(const std::string& path, const std::set<std::string>& present) {
    for (const auto& name : names_in_image(layers_, path)) {
      if (!present.contains(name))
        changes_.push_back({.kind = Kind::deleted, .path = path + "/" + name});
    }
  }

  void visit(int parent, const std::string& name, const std::string& path) {
    struct stat info {};
    if (passed_over_.contains(path) ||
        ::fstatat(parent, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
      return;
    }
    if (is_whiteout(info)) return changes_.push_back({.kind = Kind::deleted, .path = path});
    changes_.push_back(
        {.kind = is_in_image(layers_, path) ? Kind::changed : Kind::added,
         .path = path,
         .size = S_ISREG(info.st_mode) ? static_cast<std::uint64_t>(info.st_size) : 0});
    if (S_ISDIR(info.st_mode)) directories_.push_back(path);
  }

  const std::vector<fs::path>& layers_;
  const std::set<std::string>& passed_over_;
  std::vector<std::string> directories_;  // still to be entered
  std::vector<sandbox::FileChange> changes_;
};

}  // namespace

std::vector<sandbox::FileChange> find_changes(int upper, const std::vector<fs::path>& layers,
                                              const std::set<std::string>& passed_over) {
  Walk walk(layers, passed_over);
  walk.run(upper);
  return walk.take();
}

std::set<std::string> mount_places(const sandbox::Spec& spec) {
  std::set<std::string> places;
  for (const auto& mount : spec.mounts) places.insert(mount.destination);
  return places;
}

}  // namespace twinbox::container
