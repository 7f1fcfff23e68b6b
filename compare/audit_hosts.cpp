#include "compare/audit_hosts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <string>

#include "compare/environment.hpp"

namespace twinbox::compare {
namespace {

AuditRow row(std::string check, bool fine, std::string detail) {
  return {std::move(check), fine ? AuditState::pass : AuditState::warn, std::move(detail)};
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

// Passes where it is known: another host's may differ, and nothing is wrong with either.
AuditRow told(const Host& host, const std::string& check, const std::vector<std::string>& facts) {
  std::vector<std::string> values;
  bool known = true;
  for (const auto& name : facts) {
    values.push_back(fmt::format("{}: {}", name, fact_or_unknown(host, name)));
    known = known && fact_or_unknown(host, name) != unknown;
  }
  return row(check, known, fmt::format("{}", fmt::join(values, ", ")));
}

AuditRow mitigated(const Host& host, const std::string& check) {
  const auto state = fact_or_unknown(host, "mitigations");
  const bool open = state.find("Vulnerable") != std::string::npos;
  return row(check, !open && state != unknown,
             open ? fmt::format("not all of this processor's vulnerabilities are mitigated, as "
                                "they would be where it is used: {}",
                                state)
                  : state);
}

AuditRow control_groups(const Host& host, const std::string& check) {
  const auto version = fact_or_unknown(host, "cgroup version");
  return row(check, version == "2",
             version == "1" ? "version 1, whose limits are set and accounted in another way than "
                              "those of version 2"
                            : "version " + version);
}

AuditRow not_stolen(const Host& host, const std::string& check) {
  // Older reports tell it since boot only.
  const bool meanwhile = !fact(host.facts, stolen_meanwhile).empty();
  const auto share = fact_or_unknown(host, meanwhile ? stolen_meanwhile : "stolen time");
  constexpr double most = 1;  // percent
  return row(check, share != unknown && std::strtod(share.c_str(), nullptr) < most,
             fmt::format("{} of the processors' time {} went to other machines", share,
                         meanwhile ? "meanwhile" : "since boot"));
}

}  // namespace

std::vector<AuditRow> audit_environment(const Result& result) {
  const auto hosts = used_hosts(result);
  std::vector<AuditRow> rows;
  for (const auto& host : hosts) {
    // The check's name, with the host's where there are several.
    const auto on = [&](const char* check) {
      return hosts.size() > 1 ? fmt::format("{} ({})", check, host.name) : std::string(check);
    };
    rows.push_back(bare(host, on("host")));
    rows.push_back(quiet(host, on("quiet host")));
    rows.push_back(frequency(host, on("steady frequency")));
    rows.push_back(merging(host, on("no page merging")));
    rows.push_back(swapping(host, on("no swap")));
    rows.push_back(not_stolen(host, on("no stolen time")));
    rows.push_back(mitigated(host, on("mitigations")));
    rows.push_back(control_groups(host, on("control groups")));
    rows.push_back(told(host, on("known processor"), {"processor", "microcode"}));
    rows.push_back(told(host, on("known kernel"), {"kernel", "transparent huge pages"}));
  }
  return rows;
}

}  // namespace twinbox::compare
