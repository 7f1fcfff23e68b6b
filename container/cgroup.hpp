// The control groups of one box, `twinbox-ID` in each hierarchy: limits, counters, kill and remove.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.hpp"
#include "container/cgroup_layout.hpp"
#include "container/device_rules.hpp"
#include "sandbox/box_report.hpp"
#include "sandbox/spec.hpp"

namespace twinbox::container {

// Undoes itself: the destructor kills what is still in the groups and removes them.
class Cgroup {
 public:
  // No groups.
  Cgroup() = default;
  // Makes the groups of box `id` with the limits of `resources`.
  static Cgroup make(const CgroupLayout& layout, const std::string& id,
                     const sandbox::Resources& resources);
  // Takes over what a dead process left of box `id`.
  static Cgroup adopt(const CgroupLayout& layout, const std::string& id);

  Cgroup(Cgroup&& other) noexcept = default;
  Cgroup& operator=(Cgroup&& other) noexcept;
  Cgroup(const Cgroup&) = delete;
  Cgroup& operator=(const Cgroup&) = delete;
  ~Cgroup();

  // Version 2: the directory for CLONE_INTO_CGROUP; -1 with version 1.
  int clone_target() const { return clone_target_.get(); }
  // Version 1: open `tasks` files. A single-threaded process that writes "0" into them moves itself
  // without the wait for an RCU grace period that moving another process costs.
  std::vector<int> joins() const;

  // From now on the processes in the groups may use devices only as `rules` say. For new groups,
  // once. Throws base::Error (unsupported) where this host's control groups cannot do so.
  void control_devices(std::span<const DeviceRule> rules) const;
  bool unified() const { return unified_; }
  // Sets the limits that `resources` has.
  void limit(const sandbox::Resources& resources) const;
  // All processes in the groups stand still, or go on. Returns when it is so.
  void freeze(bool frozen) const;
  // What counters say: everything of Statistics but the network.
  sandbox::Statistics statistics() const;

  // Whether the kernel ever killed a process here for want of memory.
  bool saw_oom_kill() const;
  // Every process in the groups, by the caller's process ids.
  std::vector<pid_t> processes() const;
  void kill_all() const;
  // Kills what is left and removes the groups; throws base::Error when they cannot be removed.
  void remove();

 private:
  struct Group {
    std::filesystem::path path;
    CgroupHierarchy hierarchy;
  };

  void make_group(const Group& group) const;
  void limit_memory(const Group& group, const sandbox::Resources& resources) const;
  void limit_group(const Group& group, const sandbox::Resources& resources) const;
  const Group* group_with(std::string_view controller) const;
  // The file for version 1 or 2 in the group of a controller; a path that is not there without one.
  std::filesystem::path file(std::string_view controller, std::string_view v1,
                             std::string_view v2) const;

  bool unified_ = false;
  std::vector<Group> groups_;
  std::vector<base::Fd> joins_;
  base::Fd clone_target_;
};

// "max" or the value to write for `cpus` processors in a period of 100 ms.
inline constexpr int cpu_period_us = 100'000;
std::string cpu_quota_us(double cpus);

}  // namespace twinbox::container
