#include "compare/environment.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <ctime>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/json.hpp"
#include "base/size.hpp"
#include "base/text.hpp"
#include "compare/procfs.hpp"
#include "sandbox/paths.hpp"

namespace twinbox::compare {
namespace {

namespace fs = std::filesystem;

constexpr const char* unknown = "unknown";

std::string first_line(const fs::path& path) {
  try {
    const auto text = base::read_file(path);
    return text.substr(0, text.find('\n'));
  } catch (const base::Error&) {
    return {};
  }
}

std::string line_or_unknown(const fs::path& path) {
  auto line = first_line(path);
  return line.empty() ? unknown : line;
}

// The value of "key   : value" in /proc/cpuinfo, of the first CPU.
std::string cpuinfo_field(const std::string& cpuinfo, const std::string& key) {
  auto at = cpuinfo.find("\n" + key + "\t");
  if (cpuinfo.starts_with(key + "\t")) at = 0;
  if (at == std::string::npos) return unknown;
  const auto colon = cpuinfo.find(": ", at);
  const auto end = cpuinfo.find('\n', at + 1);
  if (colon == std::string::npos || colon > end) return unknown;
  return cpuinfo.substr(colon + 2, end - colon - 2);
}

std::string cpuinfo_text(const fs::path& root) {
  try {
    return base::read_file(root / "proc/cpuinfo");
  } catch (const base::Error&) {
    return {};
  }
}

// The choice in "always [madvise] never".
std::string bracketed(const std::string& line) {
  const auto open = line.find('[');
  const auto close = line.find(']');
  if (open == std::string::npos || close == std::string::npos || close < open) return unknown;
  return line.substr(open + 1, close - open - 1);
}

std::string virtualization(const std::string& flags) {
  const std::string padded = " " + flags + " ";
  if (padded.find(" vmx ") != std::string::npos) return "VT-x";
  if (padded.find(" svm ") != std::string::npos) return "SVM";
  return "none";
}

std::string governor(const fs::path& root) {
  const auto line = first_line(root / "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
  return line.empty() ? "not under control of this kernel" : line;
}

std::string cgroup_version(const fs::path& root) {
  const auto mount = root / "sys/fs/cgroup";
  if (fs::exists(mount / "cgroup.controllers")) return "2";
  return fs::exists(mount / "memory") ? "1" : unknown;
}

// "spectre_v2: Mitigation: Retpolines" of every vulnerability that this CPU has.
std::string mitigations(const fs::path& root) {
  std::vector<std::string> names;
  std::error_code failed;
  for (const auto& entry :
       fs::directory_iterator(root / "sys/devices/system/cpu/vulnerabilities", failed)) {
    const auto state = first_line(entry.path());
    if (!state.empty() && state != "Not affected") {
      names.push_back(entry.path().filename().string() + ": " + state);
    }
  }
  if (failed) return unknown;
  std::sort(names.begin(), names.end());
  return names.empty() ? "no known vulnerability" : fmt::format("{}", fmt::join(names, "; "));
}

std::string same_page_merging(const fs::path& root) {
  const auto state = first_line(root / "sys/kernel/mm/ksm/run");
  if (state.empty()) return "not in this kernel";
  return state == "1" ? "on" : "off";
}

std::string kernel(const fs::path& root) {
  return line_or_unknown(root / "proc/sys/kernel/osrelease") + " " +
         first_line(root / "proc/sys/kernel/version");
}

std::string load(const fs::path& root) {
  const auto line = line_or_unknown(root / "proc/loadavg");
  return line.substr(0, line.find(' '));
}

void add_memory(std::vector<Fact>& facts, const fs::path& root) {
  std::map<std::string, std::uint64_t> fields;
  try {
    fields = parse_meminfo(base::read_file(root / "proc/meminfo"));
  } catch (const base::Error&) {
    return;
  }
  facts.push_back({"memory", base::format_size(fields["MemTotal"])});
  facts.push_back({"memory available", base::format_size(fields["MemAvailable"])});
  facts.push_back(
      {"swap", fields["SwapTotal"] == 0 ? "none" : base::format_size(fields["SwapTotal"])});
}

}  // namespace

std::vector<Fact> collect_facts(const fs::path& root) {
  const auto cpuinfo = cpuinfo_text(root);
  const auto flags = cpuinfo_field(cpuinfo, "flags");
  std::vector<Fact> facts;
  facts.push_back({"processor", cpuinfo_field(cpuinfo, "model name")});
  facts.push_back({"processors online", line_or_unknown(root / "sys/devices/system/cpu/online")});
  facts.push_back({"microcode", cpuinfo_field(cpuinfo, "microcode")});
  facts.push_back({"hardware virtualization", virtualization(flags)});
  facts.push_back({"runs under a hypervisor",
                   (" " + flags + " ").find(" hypervisor ") == std::string::npos ? "no" : "yes"});
  facts.push_back({"kernel", kernel(root)});
  facts.push_back({"frequency governor", governor(root)});
  facts.push_back(
      {"clock source",
       line_or_unknown(root / "sys/devices/system/clocksource/clocksource0/current_clocksource")});
  facts.push_back({"cgroup version", cgroup_version(root)});
  facts.push_back({"transparent huge pages",
                   bracketed(first_line(root / "sys/kernel/mm/transparent_hugepage/enabled"))});
  facts.push_back({"same-page merging", same_page_merging(root)});
  add_memory(facts, root);
  facts.push_back({"stolen time", stolen_share({}, processor_times(root))});
  facts.push_back({"load before", load(root)});
  facts.push_back({"mitigations", mitigations(root)});
  return facts;
}

// The fields of proc_stat(5): stolen is the eighth; what guests take is in the user's.
ProcessorTimes processor_times(const fs::path& root) {
  const auto fields = base::words(first_line(root / "proc/stat"));
  if (fields.size() < 9) return {};
  ProcessorTimes times;
  for (std::size_t i = 1; i < 9; ++i) {
    times.all += base::parse_number<double>(fields[i]).value_or(0);
  }
  times.stolen = base::parse_number<double>(fields[8]).value_or(0);
  return times;
}

std::string stolen_share(const ProcessorTimes& begin, const ProcessorTimes& end) {
  if (end.all <= begin.all) return unknown;
  return fmt::format("{:.2f} %", 100 * (end.stolen - begin.stolen) / (end.all - begin.all));
}

std::string fact(const std::vector<Fact>& facts, const std::string& name) {
  const auto found = std::find_if(facts.begin(), facts.end(),
                                  [&](const Fact& candidate) { return candidate.name == name; });
  return found == facts.end() ? std::string() : found->value;
}

std::string time_of_day() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  std::array<char, 32> text{};
  return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

std::string image_digest(const std::string& name) {
  const auto index = sandbox::data_root() / "images/index.json";
  try {
    const auto json = base::parse_json(base::read_file(index), index.string());
    for (const auto& manifest : base::JsonView(json, index.string()).at("manifests").elements()) {
      const auto annotations = manifest.find("annotations");
      if (!annotations) continue;
      if (annotations->get_or<std::string>("org.opencontainers.image.ref.name", "") == name) {
        return manifest.get<std::string>("digest");
      }
    }
  } catch (const base::Error&) {
    // The digest is a note in the report; without a readable store it stays unknown.
  }
  return {};
}

}  // namespace twinbox::compare
