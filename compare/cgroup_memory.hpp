// What the control groups of an instance are charged for.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace twinbox::compare {

// The memory control group in /proc/PID/cgroup, in either version: its path below the mount.
struct MemoryGroup {
  int version = 2;
  std::string path;
};
std::optional<MemoryGroup> parse_memory_group(std::string_view cgroup_file);

// "anon", "file", "shmem", "kernel" and "total" in bytes, from the files of one group.
std::map<std::string, std::uint64_t> read_group_memory(const std::filesystem::path& directory,
                                                       int version);

// The sums over the groups that `processes` are in, without those that this process is in, which
// are not the instance's own. Empty when it has none.
std::map<std::string, std::uint64_t> cgroup_memory(const std::set<pid_t>& processes);

}  // namespace twinbox::compare
