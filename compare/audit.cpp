#include "compare/audit.hpp"

#include <algorithm>
#include <cstdlib>
#include <set>

#include "base/error.hpp"
#include "compare/audit_engines.hpp"
#include "compare/environment.hpp"

namespace twinbox::compare {
namespace {

AuditRow row(std::string check, bool fine, std::string detail) {
  return {std::move(check), fine ? AuditState::pass : AuditState::warn, std::move(detail)};
}

// That were measured: a plan may end before its most.
int blocks_of(const Result& result) {
  int last = -1;
  for (const auto& sample : result.starts) {
    if (sample.workload == result.plan.start.name) last = std::max(last, sample.block);
  }
  return std::max(0, last + 1 - result.plan.warm_ups);
}

AuditRow order(const Result& result) {
  return {"interleaved runs", AuditState::pass,
          fmt::format("{} blocks, each with every engine once in random order (seed {}), after {} "
                      "discarded",
                      blocks_of(result), result.plan.seed, result.plan.warm_ups)};
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
  std::set<std::string> names;
  for (const auto& failure : result.failures) {
    names.insert(fmt::format("{} ({})", failure.engine, failure.stage));
  }
  return {"every engine measured", AuditState::fail,
          fmt::format("not measured: {}", fmt::join(names, ", "))};
}

AuditRow cache(const Result& result) {
  return row("page cache", result.plan.warm_ups > 0,
             result.plan.warm_ups > 0
                 ? "warm for every engine: the first blocks are discarded"
                 : "cold for the first run of each engine: no warm-up was run");
}

// The hosts that something was measured on.
std::vector<Host> used_hosts(const Result& result) {
  std::vector<Host> hosts;
  for (const auto& host : result.hosts) {
    if (std::ranges::any_of(result.engines,
                            [&](const Engine& engine) { return engine.host == host.name; })) {
      hosts.push_back(host);
    }
  }
  return hosts;
}

// The check's name, with the host's where there are several.
std::string on(const std::string& check, const Host& host, bool several) {
  return several ? fmt::format("{} ({})", check, host.name) : check;
}

AuditRow bare(const Host& host, const std::string& check) {
  if (host.kind == HostKind::deterministic_lab) {
    return {check, AuditState::warn,
            "emulated: one nanosecond is one executed instruction; what a world switch, a cache "
            "miss or a device costs in hardware is not priced"};
  }
  const bool nested = fact(host.facts, "runs under a hypervisor") == "yes";
  return row(check, !nested,
             nested ? "itself a virtual machine: world switches cost more than on bare metal"
                    : "bare metal");
}

// What was not seen cannot pass.
constexpr const char* unknown = "unknown";

std::string fact_or_unknown(const Host& host, const std::string& name) {
  auto value = fact(host.facts, name);
  return value.empty() ? unknown : value;
}

AuditRow quiet(const Host& host, const std::string& check) {
  const auto load = fact_or_unknown(host, "load before");
  return row(check, load != unknown && std::strtod(load.c_str(), nullptr) < 0.5,
             fmt::format("load average {} before the first run", load));
}

AuditRow frequency(const Host& host, const std::string& check) {
  if (host.kind == HostKind::deterministic_lab) {
    return row(check, true, "an instruction is a nanosecond, whatever the processor's frequency");
  }
  const auto governor = fact_or_unknown(host, "frequency governor");
  const bool fine = governor == "performance";
  return row(check, fine, fmt::format("frequency governor: {}", governor));
}

AuditRow merging(const Host& host, const std::string& check) {
  const auto state = fact_or_unknown(host, "same-page merging");
  return row(check, state != "on" && state != unknown, fmt::format("same-page merging: {}", state));
}

AuditRow swapping(const Host& host, const std::string& check) {
  const auto swap = fact_or_unknown(host, "swap");
  return row(check, swap == "none", fmt::format("swap: {}", swap));
}

void add_hosts(const Result& result, std::vector<AuditRow>& rows) {
  const auto hosts = used_hosts(result);
  const bool several = hosts.size() > 1;
  for (const auto& host : hosts) {
    rows.push_back(bare(host, on("host", host, several)));
    rows.push_back(quiet(host, on("quiet host", host, several)));
    rows.push_back(frequency(host, on("steady frequency", host, several)));
    rows.push_back(merging(host, on("no page merging", host, several)));
    rows.push_back(swapping(host, on("no swap", host, several)));
  }
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
  std::vector<AuditRow> rows{every_engine(result),    audit_images(result), audit_budget(result),
                             order(result),           baseline(summary),    audit_marks(result),
                             audit_isolation(result), audit_storage(result)};
  for (const auto& more : {audit_kernels(result), audit_consoles(result)}) {
    rows.insert(rows.end(), more.begin(), more.end());
  }
  rows.push_back(audit_hosts(result));
  rows.push_back(cache(result));
  add_hosts(result, rows);
  rows.push_back(stability(summary));
  rows.insert(rows.end(), result.audit.begin(), result.audit.end());
  return rows;
}

}  // namespace twinbox::compare
