#include "container/overlay.hpp"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <cerrno>
#include <utility>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/syscall.hpp"
#include "container/mount_api.hpp"

namespace twinbox::container {

namespace fs = std::filesystem;

namespace {

// mount(2) takes one page of options.
constexpr std::size_t option_space = 4095;

void make_directory(const fs::path& path) {
  if (::mkdir(path.c_str(), 0755) != 0 && errno != EEXIST) {
    base::throw_errno("cannot make the directory {}", path.string());
  }
}

// The topmost layer comes first.
std::string join(const std::vector<std::string>& lowers) {
  std::string joined;
  for (auto lower = lowers.rbegin(); lower != lowers.rend(); ++lower) {
    if (!joined.empty()) joined += ':';
    joined += *lower;
  }
  return joined;
}

std::string upper_options(const OverlayPlan& plan) {
  auto options = fmt::format(",{},workdir={}", upper_option(plan.directory),
                             escape_overlay_path((plan.directory / "work").string()));
  // A box does not survive a power cut, so nobody waits for its upper layer to reach the disk;
  // without `volatile`, unmounting syncs the whole file system that the directory is on.
  if (plan.writable == WritableLayer::disk) options += ",volatile";
  return options;
}

// Covers the directory, in this mount namespace, by a file system in memory. A box may fill half of
// its memory with files, as a machine may whose root is in memory.
void mount_memory(const OverlayPlan& plan) {
  FilesystemOptions options{{"mode", "0700"}};
  if (plan.memory_bytes) options.emplace_back("size", std::to_string(*plan.memory_bytes / 2));
  const auto place = base::open_file(plan.directory, O_PATH | O_DIRECTORY);
  attach_mount(make_filesystem("tmpfs", options, MOUNT_ATTR_NODEV).get(), place.get(),
               plan.directory.string());
}

}  // namespace

std::string escape_overlay_path(std::string_view path) {
  std::string escaped;
  for (const char letter : path) {
    if (letter == ',' || letter == ':' || letter == '\\') escaped += '\\';
    escaped += letter;
  }
  return escaped;
}

std::string upper_option(const fs::path& directory) {
  return "upperdir=" + escape_overlay_path((directory / "upper").string());
}

MountedOverlay mount_overlay(const OverlayPlan& plan) {
  if (plan.writable == WritableLayer::memory) mount_memory(plan);
  // Of an earlier run of this box: an overlay that was mounted `volatile` refuses to be mounted
  // again over the mark that it leaves in there.
  if (plan.writable == WritableLayer::disk) base::remove_tree(plan.directory / "work");
  for (const auto* name : {"upper", "work"}) make_directory(plan.directory / name);
  std::vector<std::string> lowers;
  for (const auto& layer : plan.layers) lowers.push_back(escape_overlay_path(layer.string()));
  const auto upper = upper_options(plan);
  std::vector<base::Fd> handles;
  if (join(lowers).size() + upper.size() + sizeof "lowerdir=" > option_space) {
    // Many layers with long names: name them by descriptor.
    lowers.clear();
    for (const auto& layer : plan.layers) {
      handles.push_back(base::open_file(layer, O_PATH | O_DIRECTORY));
      lowers.push_back(handle_path(handles.back().get()));
    }
  }
  // Any directory does as the place to mount on, for the mount is in a namespace of its own.
  const auto root = plan.directory / "upper";
  auto upper_layer = base::open_file(root, O_PATH | O_DIRECTORY);
  const auto options = "lowerdir=" + join(lowers) + upper;
  // mount(2), since fsconfig(2) takes no value over 255 bytes before Linux 6.5.
  if (::mount("overlay", root.c_str(), "overlay", MS_NODEV, options.c_str()) != 0) {
    base::throw_errno("cannot mount an overlay of {} layers on {}", plan.layers.size(),
                      root.string());
  }
  return {base::open_file(root, O_PATH | O_DIRECTORY), std::move(upper_layer)};
}

}  // namespace twinbox::container
