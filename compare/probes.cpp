#include "compare/probes.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <optional>
#include <set>
#include <string_view>

#include "base/error.hpp"
#include "base/file.hpp"
#include "compare/cgroup_memory.hpp"
#include "compare/procfs.hpp"

namespace twinbox::compare {
namespace {

namespace fs = std::filesystem;

// A process may end between the listing and the look at it.
std::optional<std::string> read_if_there(const fs::path& path) {
  try {
    return base::read_file(path);
  } catch (const base::Error&) {
    return std::nullopt;
  }
}

std::map<pid_t, pid_t> all_parents() {
  std::map<pid_t, pid_t> parent_of;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const auto name = entry.path().filename().string();
    pid_t pid = 0;
    const auto parsed = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (parsed.ec != std::errc() || parsed.ptr != name.data() + name.size()) continue;
    const auto stat = read_if_there(entry.path() / "stat");
    const auto parent = stat ? parse_parent(*stat) : std::nullopt;
    if (parent) parent_of[pid] = *parent;
  }
  return parent_of;
}

std::string program_of(const fs::path& process) {
  std::error_code failed;
  const auto program = fs::read_symlink(process / "exe", failed);
  return failed ? read_if_there(process / "comm").value_or("") : program.filename().string();
}

Footprint without(Footprint all, const Footprint& part) {
  all.virtual_size -= part.virtual_size;
  all.rss -= part.rss;
  all.pss -= part.pss;
  all.uss -= part.uss;
  return all;
}

void add_process(InstanceMemory& memory, pid_t pid) {
  const fs::path process = fs::path("/proc") / std::to_string(pid);
  const auto text = read_if_there(process / "smaps");
  if (!text || text->empty()) return;
  const auto mappings = parse_smaps(*text);
  const auto component = component_of(program_of(process));
  ++memory.processes;
  if (component != "monitor") {
    memory.components[component] += total(mappings);
    return;
  }
  auto guest = total(guest_ram(mappings));
  guest += total(guest_image(mappings));
  memory.components["guest RAM"] += guest;
  memory.components["monitor"] += without(total(mappings), guest);
}

}  // namespace

std::string component_of(const std::string& program) {
  constexpr std::array monitors{"twinbox-vmm", "qemu-system", "firecracker", "cloud-hypervisor",
                                "lkvm"};
  constexpr std::array supervisors{
      "twinbox", "docker", "containerd-shim", "podman", "conmon", "runc", "crun", "bwrap"};
  const auto names = [&](const char* name) { return program.find(name) != std::string::npos; };
  if (std::ranges::any_of(monitors, names)) return "monitor";
  return std::ranges::any_of(supervisors, names) ? "supervisor" : "workload";
}

InstanceMemory measure_memory(const std::vector<pid_t>& roots) {
  const auto parents = all_parents();
  std::set<pid_t> processes;
  for (const pid_t root : roots) {
    for (const pid_t pid : descendants(parents, root)) processes.insert(pid);
  }
  InstanceMemory memory;
  for (const pid_t pid : processes) add_process(memory, pid);
  memory.cgroup_bytes = cgroup_memory(processes);
  return memory;
}

bool has_guest(const InstanceMemory& memory) { return memory.components.contains("guest RAM"); }

std::optional<double> memory_stall_percent() {
  const auto text = read_if_there("/proc/pressure/memory");
  if (!text) return std::nullopt;
  constexpr std::string_view key = "some avg10=";
  const auto at = text->find(key);
  double value = 0;
  if (at == std::string::npos) return std::nullopt;
  const char* const from = text->data() + at + key.size();
  if (std::from_chars(from, text->data() + text->size(), value).ec != std::errc()) return {};
  return value;
}

std::uint64_t available_memory() {
  // Reading this file folds every CPU's counters into the sums; only root may, others do without.
  read_if_there("/proc/sys/vm/stat_refresh");
  const auto fields = parse_meminfo(base::read_file("/proc/meminfo"));
  const auto found = fields.find("MemAvailable");
  if (found == fields.end()) {
    throw base::Error(base::ErrorKind::unsupported, "/proc/meminfo has no MemAvailable");
  }
  return found->second;
}

}  // namespace twinbox::compare
