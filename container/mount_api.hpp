// The kernel's handle-based mount calls (Linux 5.12), each wrapped once.
//
// Nothing here resolves a path inside a root file system except open_in_root(), so nothing can be
// redirected by a symbolic link that an image or a running container placed there.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/fd.hpp"

namespace twinbox::container {

// {key, value}; an empty value is a flag.
using FilesystemOptions = std::vector<std::pair<std::string, std::string>>;

// A new, detached file system of `type`; `attributes` are MOUNT_ATTR_*.
base::Fd make_filesystem(const std::string& type, const FilesystemOptions& options,
                         std::uint64_t attributes);
// A detached copy of the mount (and those below it) that `file`, or a host path, is on.
base::Fd clone_mount(int file, bool with_submounts);
base::Fd clone_mount(const std::string& host_path, bool with_submounts);
void set_mount_attributes(int mount, std::uint64_t set, std::uint64_t clear, bool with_submounts);
// Attaches a detached mount at exactly the file that `target` is.
void attach_mount(int mount, int target, const std::string& described);

enum class Links {
  within_root,  // followed, as if the root were "/"
  refused,
};
// An O_PATH handle on `path` inside the directory `root`; never through a magic link. An empty one
// when nothing is there; throws for anything else.
base::Fd open_in_root(int root, const std::string& path, Links links);
// The same, making what is missing: a directory, or an empty file for a mount to cover.
enum class Missing { directory, file };
base::Fd open_or_make_in_root(int root, const std::string& path, Links links, Missing kind);

// "/proc/self/fd/N": the file of a handle for calls that take only paths.
std::string handle_path(int file);

}  // namespace twinbox::container
