#include "compare/verdict.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <set>

#include "base/error.hpp"
#include "base/size.hpp"

namespace twinbox::compare {
namespace {

using sandbox::Mark;

std::string capitalised(std::string text) {
  if (!text.empty()) text[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(text[0])));
  return text;
}

std::string size(double bytes) {
  return base::format_size(static_cast<std::uint64_t>(std::max(bytes, 0.0)));
}

// "a, b and c".
std::string listed(const std::vector<std::string>& items) {
  std::string text;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i > 0) text += i + 1 == items.size() ? " and " : ", ";
    text += items[i];
  }
  return text;
}

const Ratio* find_ratio(const Summary& summary, const std::string& metric) {
  const auto found =
      std::find_if(summary.ratios.begin(), summary.ratios.end(), [&](const Ratio& ratio) {
        return ratio.metric == metric && ratio.engine == "vm" && ratio.baseline == "container";
      });
  return found == summary.ratios.end() ? nullptr : &*found;
}

std::string times(const Ratio& ratio) {
  return fmt::format("{:.3g} times (95 % interval {:.3g} to {:.3g})", ratio.value,
                     ratio.interval.low, ratio.interval.high);
}

// Engines from the heaviest on, as people ask about them.
std::vector<const EngineSummary*> heaviest_first(const Summary& summary) {
  std::vector<const EngineSummary*> engines;
  for (const auto& engine : summary.engines) engines.push_back(&engine);
  std::reverse(engines.begin(), engines.end());
  return engines;
}

void add_start(const Summary& summary, std::vector<std::string>& sentences) {
  std::vector<std::string> parts;
  for (const auto* engine : heaviest_first(summary)) {
    if (!engine->to_ready) continue;
    const auto time = format_time(engine->to_ready->median);
    parts.push_back(parts.empty()
                        ? fmt::format("{} is ready after {}", spoken(engine->engine), time)
                        : fmt::format("{} after {}", spoken(engine->engine), time));
  }
  if (parts.empty()) return;
  auto sentence = capitalised(listed(parts));
  if (const auto* ratio = find_ratio(summary, "start-up")) {
    sentence += ": the microVM takes " + times(*ratio) + " as long as the container";
  }
  sentences.push_back(sentence + ".");
}

// The phase that takes most of the microVM's time to ready.
void add_why(const Summary& summary, std::vector<std::string>& sentences) {
  const auto* vm = summary.find("vm");
  if (vm == nullptr || !vm->to_ready || vm->to_ready->median <= 0) return;
  const Phase* longest = nullptr;
  for (const auto& phase : vm->phases) {
    if (phase.to == Mark::gone) continue;
    if (longest == nullptr || phase.length_ns > longest->length_ns) longest = &phase;
  }
  if (longest == nullptr) return;
  sentences.push_back(
      fmt::format("{:.0f} % of the microVM's start-up is one phase, \"{}\": {} of {}.",
                  100 * longest->length_ns / vm->to_ready->median, longest->name,
                  format_time(longest->length_ns), format_time(vm->to_ready->median)));
}

void add_density(const Summary& summary, std::vector<std::string>& sentences) {
  std::vector<std::string> parts;
  std::vector<std::string> lost;
  for (const auto* engine : heaviest_first(summary)) {
    if (!engine->density) continue;
    if (!engine->density->measurable()) {
      lost.push_back(spoken(engine->engine));
      continue;
    }
    const auto cost = size(engine->density->line.slope);
    parts.push_back(parts.empty() ? fmt::format("each further idle {} costs the host {} of memory",
                                                spoken(engine->engine).substr(2), cost)
                                  : fmt::format("{} {}", spoken(engine->engine), cost));
  }
  if (!parts.empty()) {
    auto sentence = capitalised(listed(parts));
    if (const auto* ratio = find_ratio(summary, "memory per instance")) {
      sentence += ": the microVM takes " + times(*ratio) + " as much as the container";
    }
    sentences.push_back(sentence + ".");
  }
  if (!lost.empty()) {
    sentences.push_back(fmt::format(
        "What one more costs is lost in the noise of this host's memory for {}.", listed(lost)));
  }
}

void add_monitor(const Summary& summary, std::vector<std::string>& sentences) {
  const auto* vm = summary.find("vm");
  if (vm == nullptr || !vm->alone) return;
  const auto& components = vm->alone->components;
  const auto monitor = components.find("monitor");
  const auto guest = components.find("guest RAM");
  if (monitor == components.end() || guest == components.end()) return;
  sentences.push_back(fmt::format(
      "An idle microVM keeps {} of guest memory resident; the monitor holds {} beside it.",
      base::format_size(guest->second.rss), base::format_size(monitor->second.rss)));
}

std::string plural(const std::string& engine) {
  const auto name = spoken(engine).substr(2);
  return name + (name.ends_with('s') ? "es" : "s");
}

void add_capacity(const Summary& summary, std::vector<std::string>& sentences) {
  std::vector<std::string> parts;
  std::vector<std::string> stops;
  std::set<std::string> constraints;
  for (const auto* engine : heaviest_first(summary)) {
    if (!engine->density || !engine->density->measurable()) continue;
    parts.push_back(
        fmt::format("{:.0f} {}", std::floor(engine->density->capacity), plural(engine->engine)));
    stops.push_back(std::to_string(engine->density->last));
    constraints.insert(engine->density->constraint);
  }
  if (parts.empty()) return;
  sentences.push_back(fmt::format(
      "Extrapolated, not reached: at these slopes the memory available at the start holds {}; the "
      "growth was stopped at {} by the {}.",
      listed(parts), listed(stops), listed({constraints.begin(), constraints.end()})));
}

}  // namespace

std::vector<std::string> verdicts(const Result& result, const Summary& summary) {
  std::vector<std::string> sentences;
  add_start(summary, sentences);
  add_why(summary, sentences);
  add_density(summary, sentences);
  add_monitor(summary, sentences);
  add_capacity(summary, sentences);
  for (const auto& failure : result.failures) {
    sentences.push_back(fmt::format("{} was not measured ({}): {}",
                                    capitalised(spoken(failure.engine)), failure.stage,
                                    failure.message));
  }
  return sentences;
}

}  // namespace twinbox::compare
