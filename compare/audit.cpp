#include "compare/audit.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "base/error.hpp"
#include "compare/audit_engines.hpp"
#include "compare/audit_hosts.hpp"

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

// The blocks of start-up that do not hold each engine once; one that failed was left out from
// there.
std::set<int> broken_blocks(const Result& result) {
  std::set<std::string> failed;
  for (const auto& failure : result.failures) failed.insert(failure.engine);
  std::map<int, std::map<std::string, int>> blocks;
  for (const auto& sample : result.starts) {
    if (sample.workload == result.plan.start.name) ++blocks[sample.block][sample.engine];
  }
  std::set<int> broken;
  for (auto& [block, engines] : blocks) {
    for (const auto& engine : result.engines) {
      const int runs = engines[engine.name];
      const bool whole = runs == 1 || (runs == 0 && failed.contains(engine.name));
      if (!whole) broken.insert(block);
    }
  }
  return broken;
}

AuditRow order(const Result& result) {
  const auto broken = broken_blocks(result);
  return row(
      "interleaved runs", broken.empty(),
      broken.empty()
          ? fmt::format("{} blocks, each with every engine once in random order (seed {}), after "
                        "{} discarded",
                        blocks_of(result), result.plan.seed, result.plan.warm_ups)
          : fmt::format("blocks without a run of each engine: {}", fmt::join(broken, ", ")));
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
  if (result.plan.page_cache == PageCache::cold) {
    const bool daemon = std::ranges::any_of(result.engines, [&](const Engine& engine) {
      return result.plan.settings_of(engine.name).engine == "docker";
    });
    return row("page cache", !daemon,
               fmt::format(
                   "cold: dropped before each start of the blocks, each growth and each "
                   "measurement under load, not before imports of the image{}",
                   daemon ? "; programs that run meanwhile, as docker's daemon, keep theirs" : ""));
  }
  return row("page cache", result.plan.warm_ups > 0,
             result.plan.warm_ups > 0
                 ? "warm for every engine: the first blocks are discarded"
                 : "cold for the first run of each engine: no warm-up was run");
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
  for (auto& more : audit_environment(result)) rows.push_back(std::move(more));
  rows.push_back(stability(summary));
  rows.insert(rows.end(), result.audit.begin(), result.audit.end());
  return rows;
}

}  // namespace twinbox::compare
