#include "compare/cgroup_memory.hpp"

#include <charconv>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/text.hpp"

namespace twinbox::compare {
namespace {

namespace fs = std::filesystem;

std::string read_or_empty(const fs::path& path) {
  try {
    return base::read_file(path);
  } catch (const base::Error&) {
    return {};  // of a process or a group that is gone
  }
}

std::uint64_t number_in(const fs::path& path) {
  auto text = read_or_empty(path);
  text.erase(text.find_last_not_of('\n') + 1);
  return base::parse_number<std::uint64_t>(text).value_or(0);
}

// "key 123" lines.
std::map<std::string, std::uint64_t> flat_keyed(const std::string& text) {
  std::map<std::string, std::uint64_t> values;
  for (const auto& line : base::split(text, '\n')) {
    const auto blank = line.find(' ');
    if (blank == std::string::npos) continue;
    const auto value = base::parse_number<std::uint64_t>(std::string_view(line).substr(blank + 1));
    if (value) values[line.substr(0, blank)] = *value;
  }
  return values;
}

fs::path directory_of(const MemoryGroup& group) {
  const fs::path mount = group.version == 2 ? "/sys/fs/cgroup" : "/sys/fs/cgroup/memory";
  return mount / fs::path(group.path).relative_path();
}

std::optional<MemoryGroup> group_of(const std::string& process) {
  return parse_memory_group(read_or_empty(fs::path("/proc") / process / "cgroup"));
}

}  // namespace

std::optional<MemoryGroup> parse_memory_group(std::string_view cgroup_file) {
  std::optional<MemoryGroup> group;
  for (const auto& line : base::split(cgroup_file, '\n')) {
    const auto first = line.find(':');
    const auto second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const auto path = line.substr(second + 1);
    const auto controllers = base::split(line.substr(first + 1, second - first - 1), ',');
    for (const auto& controller : controllers) {
      // Where both versions are mounted, the memory controller is in the one that names it.
      if (controller == "memory") return MemoryGroup{1, path};
    }
    if (line.starts_with("0::")) group = MemoryGroup{2, path};
  }
  return group;
}

std::map<std::string, std::uint64_t> read_group_memory(const fs::path& directory, int version) {
  const auto stat = flat_keyed(read_or_empty(directory / "memory.stat"));
  if (stat.empty()) return {};
  const auto value = [&](const char* key) {
    const auto found = stat.find(key);
    return found == stat.end() ? 0 : found->second;
  };
  if (version == 2) {
    return {{"anon", value("anon")},
            {"file", value("file")},
            {"shmem", value("shmem")},
            {"kernel", value("kernel")},
            {"total", number_in(directory / "memory.current")}};
  }
  // Version 1 counts the page cache with shmem in it, and the kernel's memory beside all.
  const auto kernel = number_in(directory / "memory.kmem.usage_in_bytes");
  return {{"anon", value("total_rss")},
          {"file", value("total_cache")},
          {"shmem", value("total_shmem")},
          {"kernel", kernel},
          {"total", number_in(directory / "memory.usage_in_bytes")}};
}

std::map<std::string, std::uint64_t> cgroup_memory(const std::set<pid_t>& processes) {
  const auto own = group_of("self");
  std::set<std::pair<int, std::string>> groups;
  for (const pid_t pid : processes) {
    const auto group = group_of(std::to_string(pid));
    if (group && !(own && own->path == group->path)) groups.insert({group->version, group->path});
  }
  std::map<std::string, std::uint64_t> sums;
  for (const auto& [version, path] : groups) {
    for (const auto& [name, bytes] : read_group_memory(directory_of({version, path}), version)) {
      sums[name] += bytes;
    }
  }
  return sums;
}

}  // namespace twinbox::compare
