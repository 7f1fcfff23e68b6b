#include "container/cgroup.hpp"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <thread>
#include <utility>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/log.hpp"
#include "base/syscall.hpp"
#include "base/text.hpp"

namespace twinbox::container {

namespace fs = std::filesystem;

namespace {

constexpr const char* parent_name = "twinbox";
constexpr auto removal_patience = std::chrono::seconds(10);

// Never creates: a control file that is not there is a controller that is not there.
void write_control(const fs::path& path, std::string_view value) {
  try {
    base::write_all(base::open_file(path, O_WRONLY).get(), value);
  } catch (const base::Error& error) {
    throw base::Error(error.kind(),
                      fmt::format("cannot write '{}' to the control group file {}: {}", value,
                                  path.string(), error.message()));
  }
}

bool write_control_if_there(const fs::path& path, std::string_view value) {
  if (::access(path.c_str(), W_OK) != 0) return false;
  write_control(path, value);
  return true;
}

std::string read_control(const fs::path& path) {
  try {
    return base::read_file(path);
  } catch (const base::Error&) {
    return {};  // removed, or a controller that is not there
  }
}

// The number after `key` in a file of "key number" lines; 0 when it is not there.
std::uint64_t counter(const fs::path& path, std::string_view key) {
  for (const auto& line : base::split(read_control(path), '\n')) {
    const auto fields = base::words(line);
    if (fields.size() == 2 && fields[0] == key) {
      return base::parse_number<std::uint64_t>(fields[1]).value_or(0);
    }
  }
  return 0;
}

// Version 2 hands a controller to the children of a group only when the group says so.
void delegate_controllers(const fs::path& group) {
  const auto delegated = read_control(group / "cgroup.subtree_control");
  std::string wanted;
  for (const auto* name : {"cpu", "memory", "pids"}) {
    if (delegated.find(name) == std::string::npos) wanted += fmt::format("+{} ", name);
  }
  if (wanted.empty()) return;
  try {
    write_control(group / "cgroup.subtree_control", wanted);
  } catch (const base::Error& error) {
    throw base::Error(base::ErrorKind::unsupported, error.message(),
                      "the cpu, memory and pids controllers must be available in the root control "
                      "group, with no process beside it");
  }
}

void for_each_directory(const fs::path& path, auto visit) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(path, ignored)) {
    if (entry.is_directory(ignored)) visit(entry.path());
  }
}

void collect_processes(const fs::path& group, std::vector<pid_t>& found) {
  for (const auto& word : base::words(read_control(group / "cgroup.procs"))) {
    if (const auto pid = base::parse_number<pid_t>(word)) found.push_back(*pid);
  }
  for_each_directory(group, [&](const fs::path& child) { collect_processes(child, found); });
}

// False while something is still in it.
bool remove_tree(const fs::path& group) {
  if (::rmdir(group.c_str()) == 0 || errno == ENOENT) return true;
  if (errno != EBUSY && errno != ENOTEMPTY) {
    base::throw_errno("cannot remove the control group {}", group.string());
  }
  for_each_directory(group, [](const fs::path& child) { remove_tree(child); });
  return ::rmdir(group.c_str()) == 0 || errno == ENOENT;
}

}  // namespace

std::string cpu_quota_us(double cpus) {
  // The kernel takes no quota below 1 ms.
  return std::to_string(std::max(1000L, std::lround(cpus * cpu_period_us)));
}

Cgroup& Cgroup::operator=(Cgroup&& other) noexcept {
  std::swap(unified_, other.unified_);
  std::swap(groups_, other.groups_);
  std::swap(joins_, other.joins_);
  std::swap(clone_target_, other.clone_target_);
  return *this;
}

Cgroup::~Cgroup() {
  try {
    remove();
  } catch (const base::Error& error) {
    base::log(base::LogLevel::warning, "{}", error.what());
  }
}

Cgroup Cgroup::adopt(const CgroupLayout& layout, const std::string& id) {
  Cgroup cgroup;
  cgroup.unified_ = !layout.unified.empty();
  const auto name = fs::path(parent_name) / id;
  if (cgroup.unified_) cgroup.groups_.push_back({layout.unified / name, {layout.unified, {}}});
  for (const auto& hierarchy : layout.hierarchies) {
    cgroup.groups_.push_back({hierarchy.mount_point / name, hierarchy});
  }
  return cgroup;
}

Cgroup Cgroup::make(const CgroupLayout& layout, const std::string& id,
                    const sandbox::Resources& resources) {
  auto cgroup = adopt(layout, id);
  for (const auto& group : cgroup.groups_) {
    cgroup.make_group(group);
    cgroup.limit(group, resources);
    if (cgroup.unified_) {
      cgroup.clone_target_ = base::open_file(group.path, O_RDONLY | O_DIRECTORY);
    } else {
      cgroup.joins_.push_back(base::open_file(group.path / "tasks", O_WRONLY));
    }
  }
  return cgroup;
}

void Cgroup::make_group(const Group& group) const {
  const auto parent = group.path.parent_path();
  // The last box to end removes the parent, so it may vanish between two of our steps.
  for (int attempt = 0; attempt < 100; ++attempt) {
    if (::mkdir(parent.c_str(), 0755) != 0 && errno != EEXIST) break;
    if (unified_) {
      delegate_controllers(group.hierarchy.mount_point);
      if (::access(parent.c_str(), F_OK) != 0) continue;
      delegate_controllers(parent);
    }
    if (::mkdir(group.path.c_str(), 0755) == 0) return;
    if (errno != ENOENT) break;
  }
  base::throw_errno("cannot make the control group {}", group.path.string());
}

void Cgroup::limit(const Group& group, const sandbox::Resources& resources) const {
  const auto governs = [&](std::string_view name) { return unified_ || group.hierarchy.has(name); };
  if (resources.memory_bytes && governs("memory")) {
    const auto bytes = std::to_string(*resources.memory_bytes);
    write_control(group.path / (unified_ ? "memory.max" : "memory.limit_in_bytes"), bytes);
    // No swap beside it, so that a container has what a VM of this size has.
    if (unified_) {
      write_control_if_there(group.path / "memory.swap.max", "0");
    } else {
      write_control_if_there(group.path / "memory.memsw.limit_in_bytes", bytes);
    }
  }
  if (resources.cpus && governs("cpu")) {
    const auto quota = cpu_quota_us(*resources.cpus);
    if (unified_) {
      write_control(group.path / "cpu.max", fmt::format("{} {}", quota, cpu_period_us));
    } else {
      write_control(group.path / "cpu.cfs_quota_us", quota);
    }
  }
  if (resources.pids && governs("pids")) {
    write_control(group.path / "pids.max",
                  *resources.pids > 0 ? std::to_string(*resources.pids) : "max");
  }
}

std::vector<int> Cgroup::joins() const {
  std::vector<int> borrowed;
  for (const auto& join : joins_) borrowed.push_back(join.get());
  return borrowed;
}

const Cgroup::Group* Cgroup::group_with(std::string_view controller) const {
  for (const auto& group : groups_) {
    if (unified_ || group.hierarchy.has(controller)) return &group;
  }
  return nullptr;
}

bool Cgroup::saw_oom_kill() const {
  const auto* group = group_with("memory");
  if (group == nullptr) return false;
  return counter(group->path / (unified_ ? "memory.events" : "memory.oom_control"), "oom_kill") > 0;
}

std::vector<pid_t> Cgroup::processes() const {
  std::vector<pid_t> found;
  for (const auto& group : groups_) collect_processes(group.path, found);
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

void Cgroup::kill_all() const {
  // cgroup.kill (Linux 5.14, version 2) takes forks in flight with it; else repeat until empty.
  if (unified_ && write_control_if_there(groups_.front().path / "cgroup.kill", "1")) return;
  for (const auto pid : processes()) ::kill(pid, SIGKILL);
}

void Cgroup::remove() {
  joins_.clear();
  clone_target_.reset();
  const auto deadline = std::chrono::steady_clock::now() + removal_patience;
  for (const auto& group : std::exchange(groups_, {})) {
    while (!remove_tree(group.path)) {
      std::vector<pid_t> inside;
      collect_processes(group.path, inside);
      for (const auto pid : inside) ::kill(pid, SIGKILL);
      if (std::chrono::steady_clock::now() > deadline) {
        throw base::Error(base::ErrorKind::system,
                          fmt::format("the control group {} is still in use by {} processes",
                                      group.path.string(), inside.size()));
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    ::rmdir(group.path.parent_path().c_str());  // fails, rightly, while other boxes are there
  }
}

}  // namespace twinbox::container
