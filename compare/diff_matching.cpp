#include "compare/diff_matching.hpp"

#include <filesystem>
#include <optional>
#include <regex>
#include <set>

#include "base/error.hpp"
#include "compare/environment.hpp"
#include "compare/load.hpp"

namespace twinbox::compare {
namespace {

// A command without what differs from one comparison to the next: where the program is installed,
// and the names of a comparison's directory and boxes.
std::string command_of(const Engine& engine) {
  static const std::regex names("twinbox-comparison-[A-Za-z0-9]+(-[0-9]+)?");
  if (engine.command.empty()) return {};
  auto words = engine.command;
  words.front() = std::filesystem::path(words.front()).filename().string();
  return std::regex_replace(fmt::format("{}", fmt::join(words, " ")), names, "{box}");
}

std::string differing(std::string_view what, const std::string& before, const std::string& after) {
  const auto known = [](const std::string& text) {
    return text.empty() ? std::string("nothing") : "'" + text + "'";
  };
  return before == after ? std::string()
                         : fmt::format("{}: {} and {}", what, known(before), known(after));
}

// The first setting that is another one, or in one report only.
std::string settings_mismatch(const Engine& before, const Engine& after) {
  std::set<std::string> names;
  for (const auto* engine : {&before, &after}) {
    for (const auto& known : engine->settings) names.insert(known.name);
  }
  for (const auto& name : names) {
    auto why = differing(name, fact(before.settings, name), fact(after.settings, name));
    if (!why.empty()) return why;
  }
  return {};
}

// Why an engine of the same name is not the same in both reports; empty when it is.
std::string engine_mismatch(const Result& before, const Result& after, const std::string& name) {
  const auto* one = before.find_engine(name);
  const auto* other = after.find_engine(name);
  if (one == nullptr || other == nullptr) return {};
  for (const auto& why :
       {differing("kind", std::string(to_string(one->kind)), std::string(to_string(other->kind))),
        differing("image", one->image_digest, other->image_digest), settings_mismatch(*one, *other),
        differing("command", command_of(*one), command_of(*other))}) {
    if (!why.empty()) return why;
  }
  return {};
}

bool same_metric(const Metric& one, const Metric& other) {
  return one.definition == other.definition && one.unit == other.unit && one.better == other.better;
}

bool same_workload(const MeasuredWorkload& one, const MeasuredWorkload& other) {
  return one.args == other.args && one.ready == other.ready &&
         one.image_digest == other.image_digest;
}

// Why a metric of the same name was not measured in the same way.
std::string way_mismatch(const Result& before, const Result& after, const Series& series) {
  if (series.metric == launch_rate_metric) {
    return differing("launches", std::to_string(before.plan.load.launches),
                     std::to_string(after.plan.load.launches));
  }
  if (series.metric != memory_metric().name) return {};
  // Pages that instances share are divided up among them.
  const int running = most_running(before, series.engine);
  const int running_after = most_running(after, series.engine);
  return running == running_after
             ? std::string()
             : fmt::format("measured while {} and {} ran", running, running_after);
}

}  // namespace

std::string mismatch(const Result& before, const Result& after, const Series& series) {
  const auto metrics_before = metrics_of(before);
  const auto metrics_after = metrics_of(after);
  const auto* metric = by_name(metrics_before, series.metric);
  const auto* metric_after = by_name(metrics_after, series.metric);
  if (metric != nullptr && metric_after != nullptr && !same_metric(*metric, *metric_after)) {
    return "the metric is defined in another way";
  }
  const auto* workload = by_name(before.workloads, series.workload);
  const auto* workload_after = by_name(after.workloads, series.workload);
  if (workload != nullptr && workload_after != nullptr &&
      !same_workload(*workload, *workload_after)) {
    return "the workload is another command or image";
  }
  const auto way = way_mismatch(before, after, series);
  return way.empty() ? engine_mismatch(before, after, series.engine) : way;
}

std::string growth_mismatch(const Result& before, const Result& after, const std::string& engine) {
  const auto& one = before.plan.density;
  const auto& other = after.plan.density;
  for (const auto& why :
       {differing("milliseconds of settling", std::to_string(one.settle_ms),
                  std::to_string(other.settle_ms)),
        differing("share of instances left out", fmt::format("{:.3g}", one.discarded_share),
                  fmt::format("{:.3g}", other.discarded_share))}) {
    if (!why.empty()) return why;
  }
  return engine_mismatch(before, after, engine);
}

}  // namespace twinbox::compare
