#include "container/cgroup_layout.hpp"

#include <linux/magic.h>
#include <sys/vfs.h>

#include <algorithm>
#include <array>

#include "base/file.hpp"
#include "base/text.hpp"

namespace twinbox::container {
namespace {

// Those that limit, that count, that freeze and that keep from devices.
constexpr std::array<std::string_view, 8> wanted_controllers{
    "memory", "cpu", "pids", "cpuacct", "blkio", "freezer", "cpuset", "devices"};
constexpr std::array<std::string_view, 13> known_controllers{
    "memory",  "cpu",     "pids",     "cpuacct",    "cpuset",  "blkio", "devices",
    "freezer", "net_cls", "net_prio", "perf_event", "hugetlb", "rdma"};

template <typename Range>
bool contains(const Range& range, std::string_view value) {
  return std::find(range.begin(), range.end(), value) != range.end();
}

std::vector<std::string> controllers_of(const std::string& options) {
  std::vector<std::string> found;
  for (const auto& option : base::split(options, ',')) {
    if (contains(known_controllers, option)) found.push_back(option);
  }
  return found;
}

bool is_wanted(const CgroupHierarchy& hierarchy) {
  return std::any_of(wanted_controllers.begin(), wanted_controllers.end(),
                     [&](std::string_view name) { return hierarchy.has(name); });
}

// A hierarchy that is mounted in several places is one hierarchy.
bool known(const CgroupLayout& layout, const CgroupHierarchy& hierarchy) {
  return std::any_of(
      layout.hierarchies.begin(), layout.hierarchies.end(),
      [&](const CgroupHierarchy& other) { return other.controllers == hierarchy.controllers; });
}

}  // namespace

bool CgroupHierarchy::has(std::string_view controller) const {
  return contains(controllers, controller);
}

CgroupLayout parse_cgroup_layout(std::string_view mounts) {
  CgroupLayout layout;
  for (const auto& line : base::split(mounts, '\n')) {
    const auto fields = base::words(line);
    if (fields.size() < 4) continue;
    const auto &mount_point = fields[1], &type = fields[2], &options = fields[3];
    if (type == "cgroup2" && layout.unified.empty()) layout.unified = mount_point;
    if (type != "cgroup") continue;
    CgroupHierarchy hierarchy{mount_point, controllers_of(options)};
    if (is_wanted(hierarchy) && !known(layout, hierarchy)) {
      layout.hierarchies.push_back(std::move(hierarchy));
    }
  }
  if (!layout.hierarchies.empty()) layout.unified.clear();
  return layout;
}

// Where version 2 is alone it is mounted there; the list of all mounts takes ten times as long.
CgroupLayout host_cgroup_layout() {
  constexpr const char* usual = "/sys/fs/cgroup";
  struct statfs info {};
  if (::statfs(usual, &info) == 0 && info.f_type == CGROUP2_SUPER_MAGIC) {
    return {.unified = usual, .hierarchies = {}};
  }
  return parse_cgroup_layout(base::read_file("/proc/mounts"));
}

}  // namespace twinbox::container
