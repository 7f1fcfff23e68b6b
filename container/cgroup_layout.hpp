// How this host lays out its control groups: version 1 hierarchies, or the one of version 2.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace twinbox::container {

// A version 1 hierarchy with a controller that boxes are put under.
struct CgroupHierarchy {
  std::filesystem::path mount_point;
  std::vector<std::string> controllers;  // mounted together: {"cpu", "cpuacct"}

  bool has(std::string_view controller) const;
};

struct CgroupLayout {
  std::filesystem::path unified;             // version 2; empty when version 1 is in use
  std::vector<CgroupHierarchy> hierarchies;  // version 1; empty when version 2 is in use

  bool usable() const { return !unified.empty() || !hierarchies.empty(); }
};

// Reads the layout off the text of /proc/mounts. A hybrid layout counts as version 1, since its
// controllers are there.
CgroupLayout parse_cgroup_layout(std::string_view mounts);

// This host's.
CgroupLayout host_cgroup_layout();

}  // namespace twinbox::container
