#include "container/root_setup.hpp"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "base/error.hpp"
#include "base/syscall.hpp"
#include "container/devices.hpp"
#include "container/handshake.hpp"
#include "container/mount_api.hpp"
#include "container/mount_options.hpp"
#include "container/overlay.hpp"
#include "container/path_guards.hpp"
#include "container/sysctl.hpp"

namespace twinbox::container {
namespace {

void set_propagation(unsigned long kind) {
  if (::mount(nullptr, "/", nullptr, MS_REC | kind, nullptr) != 0) {
    base::throw_errno("cannot part the mounts of the new namespace from the old one's");
  }
}

// Nothing mounted here may show up on the host.
void make_mounts_private() { set_propagation(MS_PRIVATE); }

bool is_below(const std::string& path, const std::string& directory) {
  return path == directory || path.starts_with(directory + "/");
}

// What the standard parts of a box are mounted on or below.
constexpr std::array kernel_places{"/proc", "/sys", "/dev"};

// An image that makes one of the kernel's places a link would have its mounts land elsewhere.
Links links_for(const std::string& destination) {
  for (const auto* place : kernel_places) {
    if (is_below(destination, place)) return Links::refused;
  }
  return Links::within_root;
}

base::Fd mount_target(int root, const std::string& destination, Missing kind) {
  return open_or_make_in_root(root, destination, links_for(destination), kind);
}

void mount_bind(int root, const sandbox::Mount& mount, const MountOptions& options) {
  struct stat info {};
  if (::stat(mount.source.c_str(), &info) != 0) {
    base::throw_errno("cannot mount {} on {}", mount.source, mount.destination);
  }
  const auto kind = S_ISDIR(info.st_mode) ? Missing::directory : Missing::file;
  const auto copy = clone_mount(mount.source, options.recursive);
  set_mount_attributes(copy.get(), options.set | MOUNT_ATTR_NODEV, options.clear,
                       options.recursive);
  attach_mount(copy.get(), mount_target(root, mount.destination, kind).get(), mount.destination);
}

// Version 1: a directory per hierarchy that limits us, in a small read-only file system.
void mount_cgroup_hierarchies(int target, const CgroupLayout& layout, const MountOptions& options) {
  const auto holder = make_filesystem("tmpfs", {{"mode", "0755"}, {"size", "64k"}},
                                      options.set & ~MOUNT_ATTR_RDONLY);
  attach_mount(holder.get(), target, "/sys/fs/cgroup");
  for (const auto& hierarchy : layout.hierarchies) {
    FilesystemOptions controllers;
    for (const auto& name : hierarchy.controllers) controllers.emplace_back(name, "");
    const auto mount = make_filesystem("cgroup", controllers, options.set);
    const auto name = hierarchy.mount_point.filename().string();
    if (::mkdirat(holder.get(), name.c_str(), 0755) != 0) {
      base::throw_errno("cannot make /sys/fs/cgroup/{}", name);
    }
    const auto place = base::open_at(holder.get(), name, O_PATH | O_DIRECTORY | O_NOFOLLOW);
    attach_mount(mount.get(), place.get(), "/sys/fs/cgroup/" + name);
  }
  set_mount_attributes(holder.get(), options.set & MOUNT_ATTR_RDONLY, 0, false);
}

void mount_cgroups(int target, const CgroupLayout& layout, const MountOptions& options) {
  if (layout.unified.empty()) {
    mount_cgroup_hierarchies(target, layout, options);
  } else {
    attach_mount(make_filesystem("cgroup2", {}, options.set).get(), target, "/sys/fs/cgroup");
  }
}

void mount_one(int root, const sandbox::Mount& mount, const InitPlan& plan) {
  const auto options = parse_mount_options(mount.options);
  if (options.bind || mount.type == "bind") return mount_bind(root, mount, options);
  const auto target = mount_target(root, mount.destination, Missing::directory);
  if (mount.type == "cgroup" || mount.type == "cgroup2") {
    return mount_cgroups(target.get(), plan.cgroups, options);
  }
  const auto filesystem = make_filesystem(mount.type, options.data, options.set);
  if (mount.destination == "/dev" && mount.type == "tmpfs") {
    populate_devices(filesystem.get());
    if (!plan.devices_controlled) check_access_without_control(plan.spec.devices);
    add_devices(filesystem.get(), plan.spec.devices);
    if (plan.spec.all_devices) add_all_devices(filesystem.get());
  }
  attach_mount(filesystem.get(), target.get(), mount.destination);
}

void furnish_container(int root, const InitPlan& plan) {
  for (const auto& mount : plan.spec.mounts) mount_one(root, mount, plan);
  set_sysctls(root, plan.spec.sysctl);
  mask_paths(root, plan.spec.masked_paths);
  make_paths_readonly(root, plan.spec.readonly_paths);
}

void protect_root(int root, const InitPlan& plan) {
  if (plan.spec.root_readonly) set_mount_attributes(root, MOUNT_ATTR_RDONLY, 0, false);
}

// The native baseline sees the host's devices and kernel.
void furnish_process(int root, const InitPlan& plan) {
  for (const auto* place : kernel_places) {
    const auto copy = clone_mount(std::string(place), true);
    attach_mount(copy.get(), mount_target(root, place, Missing::directory).get(), place);
  }
  protect_root(root, plan);
}

void change_root(int root) {
  if (::fchdir(root) != 0 || ::chroot(".") != 0) base::throw_errno("cannot enter the box's root");
}

// After it no mount of the host is left in the namespace.
void pivot_root(int root) {
  if (::fchdir(root) != 0) base::throw_errno("cannot enter the box's root");
  if (::syscall(SYS_pivot_root, ".", ".") == 0) {
    // The old root now lies over the new one.
    if (::umount2(".", MNT_DETACH) != 0) base::throw_errno("cannot let go of the host's root");
    if (::chdir("/") != 0) base::throw_errno("cannot enter the box's root");
    return;
  }
  // The kernel's first root, where an initramfs lives, cannot be pivoted away from (EINVAL), only
  // covered; ".." from the cover leads back to the cover.
  if (errno != EINVAL || ::mount(".", "/", nullptr, MS_MOVE, nullptr) != 0) {
    base::throw_errno("cannot make the box's root the root");
  }
  if (::chroot(".") != 0) base::throw_errno("cannot enter the box's root");
}

OverlayPlan overlay_plan(const InitPlan& plan) {
  return {plan.layers, plan.directory, plan.writable, plan.spec.resources.memory_bytes};
}

}  // namespace

void enter_root(const InitPlan& plan, int report) {
  make_mounts_private();
  const auto [root, upper] = mount_overlay(overlay_plan(plan));
  report_upper(report, upper.get());
  if (plan.isolation == Isolation::full) {
    furnish_container(root.get(), plan);
    protect_root(root.get(), plan);
    pivot_root(root.get());
  } else {
    furnish_process(root.get(), plan);
    change_root(root.get());
  }
}

base::Fd make_furniture(const InitPlan& plan) {
  set_propagation(MS_SLAVE);
  const auto place = base::open_file(plan.directory, O_PATH | O_DIRECTORY);
  auto store = make_filesystem("tmpfs", {{"mode", "0700"}}, MOUNT_ATTR_NODEV);
  attach_mount(store.get(), place.get(), plan.directory.string());
  furnish_container(store.get(), plan);
  return store;
}

base::Fd enter_furnished_root(const InitPlan& plan, int furniture) {
  make_mounts_private();
  auto [root, upper] = mount_overlay(overlay_plan(plan));
  for (const auto* place : kernel_places) {
    const auto mounted = open_in_root(furniture, place, Links::refused);
    attach_mount(mounted.get(), mount_target(root.get(), place, Missing::directory).get(), place);
  }
  pivot_root(root.get());
  return std::move(upper);
}

void make_root_readonly() {
  set_mount_attributes(base::open_file("/", O_PATH | O_DIRECTORY).get(), MOUNT_ATTR_RDONLY, 0,
                       false);
}

base::Fd mount_kept_root(const std::vector<std::filesystem::path>& layers,
                         const std::filesystem::path& directory) {
  make_mounts_private();
  return std::move(mount_overlay({layers, directory, WritableLayer::disk, {}}).root);
}

}  // namespace twinbox::container
