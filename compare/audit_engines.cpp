#include "compare/audit_engines.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "base/error.hpp"
#include "base/size.hpp"
#include "compare/engines/adapter.hpp"
#include "compare/environment.hpp"

namespace twinbox::compare {
namespace {

using Names = std::vector<std::string>;
// Engines by what they have in common.
using Groups = std::map<std::string, Names>;

constexpr const char* not_limited = "not limited";

std::string listed(const Groups& groups) {
  Names parts;
  for (const auto& [value, engines] : groups) {
    parts.push_back(fmt::format("{}: {}", fmt::join(engines, ", "), value));
  }
  return fmt::format("{}", fmt::join(parts, "; "));
}

template <typename ValueOf>
Groups grouped(const Result& result, ValueOf value_of) {
  Groups groups;
  for (const auto& engine : result.engines) {
    const std::string value = value_of(engine);
    if (!value.empty()) groups[value].push_back(engine.name);
  }
  return groups;
}

// One size written in two ways is one size.
std::string memory_of(const Engine& engine) {
  const auto memory = setting_of(engine, "memory");
  if (memory.empty() || memory == not_limited) return {};
  return base::format_size(base::parse_size(memory, "memory"));
}

std::string cpus_of(const Engine& engine) {
  const auto cpus = setting_of(engine, "cpus");
  return cpus == not_limited ? std::string() : cpus;
}

bool has_serial_console(const Result& result, const Engine& engine) {
  if (setting_of(engine, "console") == "serial") return true;
  return std::ranges::any_of(result.memory, [&](const InstanceMemory& memory) {
    return memory.engine == engine.name &&
           memory.kernel_command_line.find("console=ttyS") != std::string::npos;
  });
}

bool console_is_known(const Result& result, const Engine& engine) {
  return !setting_of(engine, "console").empty() ||
         std::ranges::any_of(result.memory, [&](const InstanceMemory& memory) {
           return memory.engine == engine.name && !memory.kernel_command_line.empty();
         });
}

Names names_where(const Result& result, const std::string& setting, std::string_view value) {
  Names names;
  for (const auto& engine : result.engines) {
    if (setting_of(engine, setting).starts_with(value)) names.push_back(engine.name);
  }
  return names;
}

}  // namespace

std::string setting_of(const Engine& engine, const std::string& name) {
  return fact(engine.settings, name);
}

AuditRow audit_images(const Result& result) {
  const auto digests = grouped(result, [](const Engine& engine) { return engine.image_digest; });
  if (digests.size() > 1) {
    return {"same image", AuditState::fail, "not the same content: " + listed(digests)};
  }
  Names unknown;
  for (const auto& engine : result.engines) {
    if (engine.image_digest.empty()) unknown.push_back(engine.name);
  }
  if (digests.empty() || !unknown.empty()) {
    return {"same image", AuditState::warn,
            fmt::format("what {} ran has no known digest", fmt::join(unknown, ", "))};
  }
  return {"same image", AuditState::pass,
          fmt::format("every engine ran {}, {}", result.plan.image, digests.begin()->first)};
}

AuditRow audit_budget(const Result& result) {
  const auto cpus = grouped(result, cpus_of);
  if (cpus.size() > 1) {
    return {"same budget", AuditState::fail, "not the same number of CPUs: " + listed(cpus)};
  }
  const auto memory = grouped(result, memory_of);
  if (memory.size() > 1) {
    return {"same budget", AuditState::fail, "not the same memory: " + listed(memory)};
  }
  Names unlimited;
  for (const auto& engine : result.engines) {
    if (engine.kind == BoxKind::process) continue;
    Names free;
    for (const std::string limit : {"memory", "cpus"}) {
      if (setting_of(engine, limit) == not_limited) free.push_back(limit);
    }
    if (!free.empty()) {
      unlimited.push_back(fmt::format("{} ({})", engine.name, fmt::join(free, " and ")));
    }
  }
  const auto asked = fmt::format(
      "{} of memory and {} CPU asked of every engine; a plain process is not held to it",
      result.plan.memory, result.plan.cpus);
  if (unlimited.empty()) return {"same budget", AuditState::pass, asked};
  return {"same budget", AuditState::warn,
          fmt::format("{}, nor is to all of it {}", asked, fmt::join(unlimited, ", "))};
}

std::vector<AuditRow> audit_kernels(const Result& result) {
  const auto kernels =
      grouped(result, [](const Engine& engine) { return setting_of(engine, "kernel digest"); });
  std::size_t machines = 0;
  for (const auto& [kernel, engines] : kernels) machines += engines.size();
  if (machines < 2) return {};
  const auto formats =
      grouped(result, [](const Engine& engine) { return setting_of(engine, "kernel format"); });
  if (formats.size() > 1) {
    return {{"same kernel", AuditState::fail,
             "not the same format, and a bzImage has to be unpacked at every start: " +
                 listed(formats)}};
  }
  if (kernels.size() > 1) {
    return {{"same kernel", AuditState::warn,
             "different kernels: " + listed(grouped(result, [](const Engine& engine) {
               return setting_of(engine, "kernel");
             }))}};
  }
  return {{"same kernel", AuditState::pass, "every machine booted the same file"}};
}

std::vector<AuditRow> audit_consoles(const Result& result) {
  Names serial;
  Names silent;
  for (const auto& engine : result.engines) {
    if (!console_is_known(result, engine)) continue;
    (has_serial_console(result, engine) ? serial : silent).push_back(engine.name);
  }
  if (serial.empty() && silent.empty()) return {};
  // A serial console costs a guest tens of milliseconds that the other side does not pay.
  if (serial.empty()) {
    return {{"consoles off", AuditState::pass,
             fmt::format("no serial console: {}", fmt::join(silent, ", "))}};
  }
  const auto detail =
      fmt::format("the kernel writes to a serial console: {}", fmt::join(serial, ", "));
  if (silent.empty()) return {{"consoles off", AuditState::warn, detail}};
  return {{"consoles off", AuditState::fail,
           fmt::format("{}; and to none: {}", detail, fmt::join(silent, ", "))}};
}

AuditRow audit_isolation(const Result& result) {
  Names parts;
  const auto unfiltered = names_where(result, "system call filter", "none");
  const auto given_a_root = names_where(result, "root", "mounted before");
  if (!unfiltered.empty()) {
    parts.push_back(fmt::format("no system call filter: {}", fmt::join(unfiltered, ", ")));
  }
  if (!given_a_root.empty()) {
    parts.push_back(
        fmt::format("the root is made before the request, which the others make after "
                    "it: {}",
                    fmt::join(given_a_root, ", ")));
  }
  if (parts.empty()) {
    return {"same work", AuditState::pass, "every engine makes a root and sets all limits"};
  }
  return {"same work", AuditState::warn, fmt::format("{}", fmt::join(parts, "; "))};
}

AuditRow audit_storage(const Result& result) {
  const auto layers =
      grouped(result, [](const Engine& engine) { return setting_of(engine, "writable layer"); });
  const std::string check = "same storage";
  if (layers.size() < 2) {
    return {check, AuditState::pass, "what the workloads write goes to the same kind of place"};
  }
  const bool alike_below_tmp = std::ranges::all_of(layers, [](const auto& layer) {
    return layer.first == "memory" || layer.first == writable_layer_but_tmp;
  });
  if (alike_below_tmp) {
    return {check, AuditState::warn,
            "what is written below /tmp, as by every workload of twinbox, goes to memory "
            "everywhere; what is written elsewhere does not: " +
                listed(layers)};
  }
  return {
      check, AuditState::warn,
      "figures of disks say what is written where, and not what a box costs: " + listed(layers)};
}

AuditRow audit_marks(const Result& result) {
  Names outside;
  Names some;
  for (const auto& engine : result.engines) {
    if (engine.missing_marks.empty()) continue;
    if (engine.missing_marks.contains(sandbox::Mark::executed)) {
      outside.push_back(engine.name);
      continue;
    }
    Names marks;
    for (const auto& [mark, why] : engine.missing_marks) marks.emplace_back(to_string(mark));
    some.push_back(fmt::format("{} lacks {}", engine.name, fmt::join(marks, " and ")));
  }
  Names parts;
  if (!outside.empty()) {
    parts.push_back(
        fmt::format("these tell only what is seen from outside (request, first output, "
                    "ready, gone): {}",
                    fmt::join(outside, ", ")));
  }
  parts.insert(parts.end(), some.begin(), some.end());
  if (parts.empty()) return {"same marks", AuditState::pass, "every engine gives them all"};
  return {"same marks", AuditState::warn,
          fmt::format("{}; nothing is guessed", fmt::join(parts, "; "))};
}

AuditRow audit_hosts(const Result& result) {
  const auto hosts = grouped(result, [](const Engine& engine) { return engine.host; });
  if (hosts.size() < 2) {
    return {"one host", AuditState::pass, "all engines were measured on the same"};
  }
  return {
      "one host", AuditState::warn,
      "figures of one host say nothing about the other's; compare within each: " + listed(hosts)};
}

}  // namespace twinbox::compare
