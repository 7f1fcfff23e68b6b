#include "compare/audit.hpp"

#include <algorithm>
#include <cstdlib>

#include "base/error.hpp"
#include "compare/environment.hpp"

namespace twinbox::compare {
namespace {

AuditRow row(std::string check, bool fine, std::string detail) {
  return {std::move(check), fine ? AuditState::pass : AuditState::warn, std::move(detail)};
}

AuditRow same_image(const Result& result) {
  if (result.image_digest.empty()) {
    return {"same image", AuditState::warn,
            fmt::format("every engine ran {}, whose digest could not be read", result.plan.image)};
  }
  return {"same image", AuditState::pass,
          fmt::format("every engine ran {}, {}", result.plan.image, result.image_digest)};
}

AuditRow same_budget(const Result& result) {
  return {"same budget", AuditState::pass,
          fmt::format("{} of memory and {} CPU asked of every engine; a plain process is not held "
                      "to it",
                      result.plan.memory, result.plan.cpus)};
}

AuditRow order(const Result& result) {
  return {"interleaved runs", AuditState::pass,
          fmt::format("{} blocks, each with every engine once in random order (seed {}), after {} "
                      "discarded",
                      result.plan.blocks, result.plan.seed, result.plan.warm_ups)};
}

AuditRow baseline(const Summary& summary) {
  const bool there = summary.find("process") != nullptr;
  return row("native baseline", there,
             there ? "the same command as a plain process is in every table"
                   : "no plain process was measured to compare with");
}

AuditRow every_engine(const Result& result) {
  if (result.failures.empty()) {
    return {"every engine measured", AuditState::pass, "all that were asked for"};
  }
  std::vector<std::string> names;
  for (const auto& failure : result.failures) names.push_back(failure.engine);
  return {"every engine measured", AuditState::fail,
          fmt::format("not measured: {}", fmt::join(names, ", "))};
}

// A serial console costs a guest tens of milliseconds that the other side does not pay.
std::vector<AuditRow> consoles(const Result& result) {
  const auto vm =
      std::find_if(result.memory.begin(), result.memory.end(), [](const InstanceMemory& memory) {
        return memory.engine == "vm" && !memory.kernel_command_line.empty();
      });
  if (vm == result.memory.end()) return {};
  const bool serial = vm->kernel_command_line.find("console=ttyS") != std::string::npos;
  return {row("consoles off", !serial,
              (serial ? "the guest's kernel writes to a serial console: "
                      : "the guest's kernel has no serial console: ") +
                  vm->kernel_command_line)};
}

AuditRow cache(const Result& result) {
  return row("page cache", result.plan.warm_ups > 0,
             result.plan.warm_ups > 0
                 ? "warm for every engine: the first blocks are discarded"
                 : "cold for the first run of each engine: no warm-up was run");
}

AuditRow host(const Result& result) {
  if (result.host_of({}).kind == HostKind::deterministic_lab) {
    return {"host", AuditState::warn,
            "emulated: one nanosecond is one executed instruction; what a world switch, a cache "
            "miss or a device costs in hardware is not priced"};
  }
  const bool nested = fact(result.host_of({}).facts, "runs under a hypervisor") == "yes";
  return row("host", !nested,
             nested ? "itself a virtual machine: world switches cost more than on bare metal"
                    : "bare metal");
}

AuditRow quiet(const Result& result) {
  const auto load = fact(result.host_of({}).facts, "load before");
  return row("quiet host", std::strtod(load.c_str(), nullptr) < 0.5,
             fmt::format("load average {} before the first run", load.empty() ? "unknown" : load));
}

AuditRow frequency(const Result& result) {
  const auto governor = fact(result.host_of({}).facts, "frequency governor");
  const bool fine =
      governor == "performance" || result.host_of({}).kind == HostKind::deterministic_lab;
  return row("steady frequency", fine, fmt::format("frequency governor: {}", governor));
}

AuditRow merging(const Result& result) {
  const auto state = fact(result.host_of({}).facts, "same-page merging");
  return row("no page merging", state != "on", fmt::format("same-page merging: {}", state));
}

AuditRow stability(const Summary& summary) {
  std::vector<std::string> unstable;
  for (const auto& engine : summary.engines) {
    if (engine.to_ready && engine.to_ready->unstable()) unstable.push_back(engine.engine);
  }
  return row("stable medians", unstable.empty(),
             unstable.empty()
                 ? "every start-up median has a 95 % interval within 5 %"
                 : fmt::format("start-up interval wider than 5 %: {}", fmt::join(unstable, ", ")));
}

}  // namespace

std::vector<AuditRow> audit(const Result& result, const Summary& summary) {
  std::vector<AuditRow> rows{every_engine(result), same_image(result), same_budget(result),
                             order(result), baseline(summary)};
  const auto console_rows = consoles(result);
  rows.insert(rows.end(), console_rows.begin(), console_rows.end());
  rows.insert(rows.end(), {cache(result), host(result), quiet(result), frequency(result),
                           merging(result), stability(summary)});
  rows.insert(rows.end(), result.audit.begin(), result.audit.end());
  return rows;
}

}  // namespace twinbox::compare
