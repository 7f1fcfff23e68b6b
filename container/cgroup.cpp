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
#include "container/cgroup_files.hpp"
#include "container/device_program.hpp"

namespace twinbox::container {

namespace fs = std::filesystem;

namespace {

// At the top of each hierarchy: a group above them would have to be made, given its controllers and
// removed with the first box and the last, which costs as much as the box's own.
constexpr const char* name_prefix = "twinbox-";
constexpr auto removal_patience = std::chrono::seconds(10);

// Those of `names` that `words` lacks.
std::vector<std::string_view> missing(std::span<const std::string_view> names,
                                      const std::string& text) {
  const auto words = base::words(text);
  std::vector<std::string_view> result;
  for (const auto name : names) {
    if (std::ranges::find(words, name) == words.end()) result.push_back(name);
  }
  return result;
}

// Version 2 hands a controller to the children of a group only when the group says so.
void delegate_controllers(const fs::path& group) {
  constexpr std::array<std::string_view, 3> needed{"cpu", "memory", "pids"};
  // For counting and for choosing: boxes do without them.
  constexpr std::array<std::string_view, 2> welcome{"io", "cpuset"};
  const auto delegated = read_control(group / "cgroup.subtree_control");
  std::string wanted;
  for (const auto name : missing(needed, delegated)) wanted += fmt::format("+{} ", name);
  const auto more = missing(welcome, delegated);
  if (!more.empty()) {
    const auto there = read_control(group / "cgroup.controllers");
    for (const auto name : more) {
      if (there.find(name) != std::string::npos) wanted += fmt::format("+{} ", name);
    }
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

void disable_oom_killer(const fs::path& group, bool unified) {
  if (!unified) return write_control(group / "memory.oom_control", "1");
  throw base::Error(base::ErrorKind::unsupported,
                    "--oom-kill-disable: control groups of version 2 always kill",
                    "leave the flag out");
}

// Version 1 lets nobody in before both sets are filled in, which are empty in a new group. The
// parents' come first, since a child's must be part of them.
void fill_cpuset(const fs::path& group) {
  if (group.empty() || ::access((group / "cpuset.mems").c_str(), F_OK) != 0) return;
  for (const auto* file : {"cpuset.cpus", "cpuset.mems"}) {
    if (!base::words(read_control(group / file)).empty()) continue;
    fill_cpuset(group.parent_path());
    write_control(group / file, base::words(read_control(group.parent_path() / file)).at(0));
  }
}

void limit_cpuset(const fs::path& group, bool unified, const std::string& cpus) {
  if (!unified) fill_cpuset(group);
  if (!cpus.empty()) write_control(group / "cpuset.cpus", cpus);
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
  const auto name = name_prefix + id;
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
    cgroup.limit_group(group, resources);
    if (cgroup.unified_) {
      cgroup.clone_target_ = base::open_file(group.path, O_RDONLY | O_DIRECTORY);
    } else {
      cgroup.joins_.push_back(base::open_file(group.path / "tasks", O_WRONLY));
    }
  }
  return cgroup;
}

void Cgroup::make_group(const Group& group) const {
  if (unified_) delegate_controllers(group.hierarchy.mount_point);
  if (::mkdir(group.path.c_str(), 0755) != 0) {
    base::throw_errno("cannot make the control group {}", group.path.string());
  }
}

void Cgroup::control_devices(std::span<const DeviceRule> rules) const {
  if (unified_) return attach_device_program(clone_target_.get(), load_device_program(rules));
  const auto* const group = group_with("devices");
  if (group == nullptr) {
    throw base::Error(base::ErrorKind::unsupported,
                      "no control group can keep a box from this host's devices: the controller "
                      "'devices' is not mounted",
                      "mount it: mkdir -p /sys/fs/cgroup/devices && mount -t cgroup -o devices "
                      "none /sys/fs/cgroup/devices");
  }
  write_control(group->path / "devices.deny", "a");
  for (const auto& rule : rules) write_control(group->path / "devices.allow", to_string(rule));
}

void Cgroup::limit(const sandbox::Resources& resources) const {
  for (const auto& group : groups_) limit_group(group, resources);
}

void Cgroup::limit_memory(const Group& group, const sandbox::Resources& resources) const {
  const auto bytes = std::to_string(*resources.memory_bytes);
  // Without a word about swap there is none, so that a container has what a VM of this size has.
  const auto both =
      resources.memory_swap_bytes.value_or(static_cast<std::int64_t>(*resources.memory_bytes));
  if (unified_) {
    write_control(group.path / "memory.max", bytes);
    const auto swap = both - static_cast<std::int64_t>(*resources.memory_bytes);
    write_control_if_there(group.path / "memory.swap.max", both < 0 ? "max" : std::to_string(swap));
    return;
  }
  // Neither may pass the other on the way, so the order depends on the direction.
  const auto limit = group.path / "memory.limit_in_bytes";
  const auto limit_both = group.path / "memory.memsw.limit_in_bytes";
  const auto before = base::parse_number<std::uint64_t>(base::words(read_control(limit)).at(0));
  const bool shrinks = before.value_or(0) > *resources.memory_bytes;
  if (shrinks) write_control(limit, bytes);
  write_control_if_there(limit_both, std::to_string(both));
  if (!shrinks) write_control(limit, bytes);
}

void Cgroup::limit_group(const Group& group, const sandbox::Resources& resources) const {
  const auto governs = [&](std::string_view name) { return unified_ || group.hierarchy.has(name); };
  if (resources.memory_bytes && governs("memory")) limit_memory(group, resources);
  if (resources.oom_kill_disable && governs("memory")) disable_oom_killer(group.path, unified_);
  if (resources.cpus && governs("cpu")) {
    const auto quota = cpu_quota_us(*resources.cpus);
    if (unified_) {
      write_control(group.path / "cpu.max", fmt::format("{} {}", quota, cpu_period_us));
    } else {
      write_control(group.path / "cpu.cfs_quota_us", quota);
    }
  }
  if (governs("cpuset") && (!unified_ || !resources.cpuset_cpus.empty())) {
    limit_cpuset(group.path, unified_, resources.cpuset_cpus);
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
  return read_counter(group->path / (unified_ ? "memory.events" : "memory.oom_control"),
                      "oom_kill") > 0;
}

std::vector<pid_t> Cgroup::processes() const {
  std::vector<pid_t> found;
  for (const auto& group : groups_) collect_processes(group.path, found);
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

void Cgroup::kill_all() const {
  // A frozen process of version 1 hears of a signal only when it goes on.
  if (!unified_) freeze(false);
  // cgroup.kill (Linux 5.14, version 2) takes forks in flight with it; else repeat until empty.
  if (unified_ && write_control_if_there(groups_.front().path / "cgroup.kill", "1")) return;
  for (const auto pid : processes()) ::kill(pid, SIGKILL);
}

void Cgroup::remove() {
  joins_.clear();
  clone_target_.reset();
  if (!unified_) freeze(false);
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
  }
}

}  // namespace twinbox::container
