#include "image/tree_writer.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/syscall.hpp"

namespace twinbox::image {
namespace {

std::string join(const std::vector<std::string>& components, std::size_t count) {
  std::string path;
  for (std::size_t i = 0; i < count; ++i) path += (i == 0 ? "" : "/") + components[i];
  return path.empty() ? "." : path;
}

// Only root may give files away; anyone else keeps what is made.
bool may_chown() { return ::geteuid() == 0; }

std::array<timespec, 2> times_of(const FileAttributes& attributes) {
  return {timespec{.tv_sec = 0, .tv_nsec = UTIME_OMIT}, attributes.modified};
}

void apply(int fd, const FileAttributes& attributes) {
  if (may_chown() && ::fchown(fd, attributes.uid, attributes.gid) != 0) {
    base::throw_errno("cannot set an owner");
  }
  // After the owner: chown clears set-user-id bits and capabilities.
  if (::fchmod(fd, attributes.mode) != 0) base::throw_errno("cannot set a mode");
  for (const auto& [name, value] : attributes.extended) {
    if (::fsetxattr(fd, name.c_str(), value.data(), value.size(), 0) != 0 && errno != ENOTSUP) {
      base::throw_errno("cannot set the attribute {}", name);
    }
  }
  if (::futimens(fd, times_of(attributes).data()) != 0) base::throw_errno("cannot set a time");
}

// For what cannot be opened to be written: a handle on what was made a moment ago. Whoever works in
// the same directory may have put something else in its place since.
base::Fd handle_on(int parent, const std::string& base, mode_t type, dev_t device) {
  auto handle = base::open_at(parent, base, O_PATH | O_NOFOLLOW);
  struct stat status {};
  if (::fstat(handle.get(), &status) != 0) base::throw_errno("cannot look at {}", base);
  if ((status.st_mode & S_IFMT) != type || status.st_rdev != device) {
    throw base::Error(base::ErrorKind::conflict,
                      fmt::format("{} was replaced while it was made", base));
  }
  return handle;
}

void apply_to_handle(int handle, const std::string& base, const FileAttributes& attributes) {
  if (may_chown() && ::fchownat(handle, "", attributes.uid, attributes.gid, AT_EMPTY_PATH) != 0) {
    base::throw_errno("cannot set the owner of {}", base);
  }
  if (::utimensat(handle, "", times_of(attributes).data(), AT_EMPTY_PATH) != 0) {
    base::throw_errno("cannot set the time of {}", base);
  }
}

}  // namespace

std::vector<std::string> safe_components(std::string_view name) {
  const auto refuse = [&](std::string_view why) -> base::Error {
    return {base::ErrorKind::usage, fmt::format("the name '{}' {}", name, why),
            "the archive is broken or hostile; nothing of it was kept"};
  };
  if (name.empty()) throw refuse("is empty");
  if (name.front() == '/') throw refuse("is absolute");
  std::vector<std::string> components;
  while (!name.empty()) {
    const auto slash = name.find('/');
    const auto component = name.substr(0, slash);
    if (component == "..") throw refuse("leads out of the image");
    if (!component.empty() && component != ".") components.emplace_back(component);
    name = slash == std::string_view::npos ? std::string_view{} : name.substr(slash + 1);
  }
  return components;
}

TreeWriter::TreeWriter(const std::filesystem::path& root, TreeRules rules)
    : root_(base::open_file(root, O_PATH | O_DIRECTORY)), rules_(rules) {}

base::Fd TreeWriter::resolve(const std::string& name, int flags) const {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC);
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  if (rules_.links == TreeRules::Links::refused) how.resolve |= RESOLVE_NO_SYMLINKS;
  return base::Fd(
      static_cast<int>(::syscall(SYS_openat2, root_.get(), name.c_str(), &how, sizeof how)));
}

base::Fd TreeWriter::parent_directory(const std::vector<std::string>& components) {
  const auto depth = components.size() - 1;
  if (auto fd = resolve(join(components, depth), O_PATH | O_DIRECTORY)) return fd;
  if (errno != ENOENT) base::throw_errno("cannot enter {}", join(components, depth));
  base::Fd parent = resolve(".", O_PATH | O_DIRECTORY);
  for (std::size_t i = 1; i <= depth; ++i) {
    if (::mkdirat(parent.get(), components[i - 1].c_str(), 0755) != 0 && errno != EEXIST) {
      base::throw_errno("cannot make directory {}", join(components, i));
    }
    parent = resolve(join(components, i), O_PATH | O_DIRECTORY);
    if (!parent) base::throw_errno("cannot enter {}", join(components, i));
  }
  return parent;
}

TreeWriter::Place TreeWriter::place(const std::string& name) {
  const auto components = safe_components(name);
  if (components.empty()) {
    throw base::Error(base::ErrorKind::usage, "the image's root is not a directory");
  }
  return {parent_directory(components), components.back()};
}

TreeWriter::Place TreeWriter::free_place(const std::string& name) {
  auto found = place(name);
  if (::unlinkat(found.parent.get(), found.base.c_str(), 0) == 0 || errno == ENOENT) return found;
  if (errno != EISDIR) base::throw_errno("cannot replace {}", name);
  if (rules_.directories == TreeRules::Directories::kept) {
    throw base::Error(base::ErrorKind::conflict,
                      fmt::format("cannot overwrite the directory {} with what is none", name),
                      "remove it first, or choose another name");
  }
  base::remove_tree_at(found.parent.get(), found.base);
  return found;
}

void TreeWriter::directory(const std::string& name, FileAttributes attributes) {
  const auto components = safe_components(name);
  if (components.empty() && rules_.root == TreeRules::Root::kept) return;
  if (!components.empty()) {
    const auto found = place(name);
    struct stat status {};
    const bool is_there =
        ::fstatat(found.parent.get(), found.base.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;
    if (is_there && !S_ISDIR(status.st_mode)) {
      ::unlinkat(found.parent.get(), found.base.c_str(), 0);
    }
    if (::mkdirat(found.parent.get(), found.base.c_str(), 0755) != 0 && errno != EEXIST) {
      base::throw_errno("cannot make directory {}", name);
    }
  }
  directories_[join(components, components.size())] = std::move(attributes);
}

base::Fd TreeWriter::open_file(const std::string& name) {
  const auto where = free_place(name);
  return base::open_at(where.parent.get(), where.base, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW,
                       0600);
}

void TreeWriter::close_file(const base::Fd& file, const FileAttributes& attributes) {
  apply(file.get(), attributes);
}

void TreeWriter::symbolic_link(const std::string& name, const std::string& target,
                               const FileAttributes& attributes) {
  const auto where = free_place(name);
  if (::symlinkat(target.c_str(), where.parent.get(), where.base.c_str()) != 0) {
    base::throw_errno("cannot make the link {}", name);
  }
  const auto link = handle_on(where.parent.get(), where.base, S_IFLNK, 0);
  apply_to_handle(link.get(), where.base, attributes);
}

void TreeWriter::hard_link(const std::string& name, const std::string& target) {
  const auto source = place(target);
  const auto source_and_name_are_one = safe_components(name) == safe_components(target);
  if (source_and_name_are_one) return;
  const auto where = free_place(name);
  // Without AT_SYMLINK_FOLLOW a link is linked itself, not what it points to.
  if (::linkat(source.parent.get(), source.base.c_str(), where.parent.get(), where.base.c_str(),
               0) != 0) {
    base::throw_errno("cannot link {} to {}", name, target);
  }
}

void TreeWriter::node(const std::string& name, mode_t type, dev_t device,
                      const FileAttributes& attributes) {
  const auto where = free_place(name);
  if (::mknodat(where.parent.get(), where.base.c_str(), type | 0600, device) != 0) {
    base::throw_errno("cannot make the device {}", name);
  }
  const auto made = handle_on(where.parent.get(), where.base, type, device);
  apply_to_handle(made.get(), where.base, attributes);
  // fchmod takes no such handle.
  const auto path = fmt::format("/proc/self/fd/{}", made.get());
  if (::chmod(path.c_str(), attributes.mode) != 0) {
    base::throw_errno("cannot set the mode of {}", name);
  }
}

void TreeWriter::whiteout(const std::string& name) {
  const auto where = free_place(name);
  if (::mknodat(where.parent.get(), where.base.c_str(), S_IFCHR, makedev(0, 0)) != 0) {
    base::throw_errno("cannot mark {} as removed", name);
  }
}

void TreeWriter::opaque(const std::string& directory) {
  const auto components = safe_components(directory + "/.");
  const auto name = join(components, components.size());
  // The mark may come before the directory's own entry.
  auto inside = components;
  inside.emplace_back("x");
  parent_directory(inside);
  FileAttributes ordinary;
  ordinary.mode = 0755;
  directories_.try_emplace(name, ordinary);
  const auto fd = resolve(name, O_RDONLY | O_DIRECTORY);
  if (!fd || ::fsetxattr(fd.get(), "trusted.overlay.opaque", "y", 1, 0) != 0) {
    base::throw_errno("cannot mark {} as opaque", name);
  }
}

void TreeWriter::finish() {
  // Deepest first, so that a directory without search permission does not bar its own children.
  for (auto at = directories_.rbegin(); at != directories_.rend(); ++at) {
    const auto fd = resolve(at->first, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    if (fd) apply(fd.get(), at->second);  // otherwise a later entry replaced it
  }
  directories_.clear();
}

}  // namespace twinbox::image
