#include "compare/probes.hpp"

#include <charconv>
#include <filesystem>
#include <optional>

#include "base/error.hpp"
#include "base/file.hpp"
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
  const auto guest = total(guest_ram(mappings));
  memory.components["guest RAM"] += guest;
  memory.components["monitor"] += without(total(mappings), guest);
}

}  // namespace

std::string component_of(const std::string& program) {
  if (program.find("twinbox-vmm") != std::string::npos) return "monitor";
  if (program.find("twinbox") != std::string::npos) return "supervisor";
  return "workload";
}

InstanceMemory measure_memory(pid_t root) {
  InstanceMemory memory;
  for (const pid_t pid : descendants(all_parents(), root)) add_process(memory, pid);
  return memory;
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
