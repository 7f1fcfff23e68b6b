#include "compare/diff_environment.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "base/error.hpp"
#include "compare/environment.hpp"

namespace twinbox::compare {
namespace {

// Facts without which times of two hosts have nothing to do with one another.
constexpr std::array deciding_facts{"processor", "kernel", "hardware virtualization"};
// Facts that differ from run to run on one host.
constexpr std::array passing_facts{"load before", "memory available", "stolen time",
                                   stolen_meanwhile};

bool contains(const auto& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::vector<std::string> names_of(const std::vector<Fact>& one, const std::vector<Fact>& other) {
  std::vector<std::string> names;
  for (const auto* facts : {&one, &other}) {
    for (const auto& item : *facts) {
      if (!contains(names, item.name)) names.push_back(item.name);
    }
  }
  return names;
}

void compare_hosts(const Host& before, const Host& after, bool across_hosts,
                   std::vector<std::string>& warnings) {
  std::vector<std::string> deciding;
  if (before.kind != after.kind) {
    deciding.push_back(
        fmt::format("host: {} and {}", to_string(before.kind), to_string(after.kind)));
  }
  for (const auto& name : names_of(before.facts, after.facts)) {
    const auto then = fact(before.facts, name);
    const auto now = fact(after.facts, name);
    if (then == now || contains(passing_facts, name)) continue;
    // What one report does not tell may have been the same or not.
    const auto known = [](const std::string& text) {
      return text.empty() ? std::string("not told") : "'" + text + "'";
    };
    auto text = fmt::format("{}: {} and {}", name, known(then), known(now));
    (contains(deciding_facts, name) ? deciding : warnings).push_back(std::move(text));
  }
  if (!deciding.empty() && !across_hosts) {
    throw base::Error(
        base::ErrorKind::conflict,
        fmt::format("the reports are of different hosts: {}", fmt::join(deciding, "; ")),
        "compare them all the same with --across-hosts");
  }
  warnings.insert(warnings.end(), deciding.begin(), deciding.end());
}

// Of every pair of hosts on which an engine of both reports was measured.
void compare_all_hosts(const Result& before, const Result& after, bool across_hosts,
                       std::vector<std::string>& warnings) {
  std::set<std::pair<const Host*, const Host*>> seen;
  for (const auto& engine : before.engines) {
    if (after.find_engine(engine.name) == nullptr) continue;
    const auto* one = &before.host_of(engine.name);
    const auto* other = &after.host_of(engine.name);
    if (!seen.emplace(one, other).second) continue;
    compare_hosts(*one, *other, across_hosts, warnings);
  }
}

bool has_failed(const Result& result, const Failure& like) {
  return std::ranges::any_of(result.failures, [&](const Failure& failure) {
    return failure.engine == like.engine && failure.stage == like.stage;
  });
}

}  // namespace

std::vector<std::string> compare_environments(const Result& before, const Result& after,
                                              bool across_hosts) {
  std::vector<std::string> warnings;
  compare_all_hosts(before, after, across_hosts, warnings);
  for (const auto& engine : before.engines) {
    const auto* now = after.find_engine(engine.name);
    if (now == nullptr || engine.version == now->version) continue;
    warnings.push_back(
        fmt::format("{}: version '{}' and '{}'", engine.name, engine.version, now->version));
  }
  if (before.plan.page_cache != after.plan.page_cache) {
    throw base::Error(base::ErrorKind::conflict,
                      "one of the reports is of a warm page cache, the other of a cold one: these "
                      "are different measurements");
  }
  if ((before.plan.warm_ups == 0) != (after.plan.warm_ups == 0)) {
    warnings.push_back("page cache: one of them has runs without a warm-up in its figures");
  }
  if (before.version != after.version) {
    warnings.push_back(fmt::format("twinbox: '{}' and '{}'", before.version, after.version));
  }
  for (const auto& failure : after.failures) {
    if (has_failed(before, failure)) continue;
    warnings.push_back(fmt::format("{} was not measured in the second report ({}): {}",
                                   failure.engine, failure.stage, failure.message));
  }
  return warnings;
}

}  // namespace twinbox::compare
