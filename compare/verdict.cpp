#include "compare/verdict.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <map>
#include <utility>

#include "base/error.hpp"
#include "base/size.hpp"
#include "compare/image_import.hpp"
#include "compare/report/quantity.hpp"

namespace twinbox::compare {
namespace {

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

// Two engines of one host that the headlines set against each other: the first machine and the
// first container, else the first container and the plain process, else the first machine and the
// plain process. Empty when there is no such pair.
struct Pair {
  std::string heavy;
  std::string light;
};

Pair first_pair(const Result& result, const Summary& summary, BoxKind heavy, BoxKind light) {
  for (const auto& one : summary.engines) {
    const auto* above = result.find_engine(one.engine);
    if (above->kind != heavy || !above->repeats.empty()) continue;
    for (const auto& other : summary.engines) {
      const auto* below = result.find_engine(other.engine);
      if (below->kind == light && below->host == above->host) return {above->name, below->name};
    }
  }
  return {};
}

Pair headline(const Result& result, const Summary& summary) {
  for (const auto& [heavy, light] : {std::pair{BoxKind::machine, BoxKind::container},
                                     std::pair{BoxKind::container, BoxKind::process},
                                     std::pair{BoxKind::machine, BoxKind::process}}) {
    auto pair = first_pair(result, summary, heavy, light);
    if (!pair.heavy.empty()) return pair;
  }
  return {};
}

const Ratio* find_ratio(const Summary& summary, const std::string& metric, const Pair& pair) {
  const auto found =
      std::find_if(summary.ratios.begin(), summary.ratios.end(), [&](const Ratio& ratio) {
        return ratio.metric == metric && ratio.engine == pair.heavy && ratio.baseline == pair.light;
      });
  return found == summary.ratios.end() ? nullptr : &*found;
}

std::string times(double ratio, const Interval& interval) {
  return fmt::format("{:.3g} times (95 % interval {:.3g} to {:.3g})", ratio, interval.low,
                     interval.high);
}

// Engines from the heaviest on, as people ask about them.
std::vector<const EngineSummary*> heaviest_first(const Summary& summary) {
  std::vector<const EngineSummary*> engines;
  for (const auto& engine : summary.engines) engines.push_back(&engine);
  std::reverse(engines.begin(), engines.end());
  return engines;
}

// "12.3 ms (95 % interval 12.1 to 12.5)".
std::string with_interval(const Figure& figure) {
  const auto low = format_time(figure.interval.low);
  return fmt::format("{} (95 % interval {} to {})", format_time(figure.median), low,
                     format_time(figure.interval.high));
}

// One sentence for each host: what is measured on different ones is not comparable.
void add_starts(const Result& result, const Summary& summary, std::vector<std::string>& sentences) {
  for (const auto& host : result.hosts) {
    std::vector<std::string> parts;
    for (const auto* engine : heaviest_first(summary)) {
      const auto* described = result.find_engine(engine->engine);
      if (!engine->to_ready || described->host != host.name || !described->repeats.empty())
        continue;
      parts.push_back(spoken(*described) + (parts.empty() ? " is ready after " : " after ") +
                      with_interval(*engine->to_ready));
    }
    if (parts.empty()) continue;
    const auto sentence = listed(parts) + ".";
    sentences.push_back(host.kind == HostKind::deterministic_lab
                            ? "In executed instructions of 1 ns each: " + sentence
                            : capitalised(sentence));
  }
}

// "p < 0.001, Cliff's delta 1.00".
std::string evidence(const Contrast& contrast) {
  const auto p = contrast.p_adjusted;
  return fmt::format("{}, Cliff's delta {:.2f}",
                     p < 0.001 ? "p < 0.001" : fmt::format("p = {:.2g}", p), contrast.delta);
}

// "takes 55.4 times (95 % interval 55.1 to 55.9) as long as" with what speaks for it.
void add_headline(const Result& result, const Summary& summary, const Pair& pair,
                  std::vector<std::string>& sentences) {
  const auto* found = summary.find_comparison("start-up", pair.heavy, pair.light);
  if (found == nullptr) return;
  const auto& contrast = found->contrast;
  const auto heavy = capitalised(spoken(result, pair.heavy));
  const auto light = spoken(result, pair.light);
  if (contrast.difference() == Difference::inconclusive) {
    sentences.push_back(
        fmt::format("{} takes {} as long to start as {}, but the runs are too few, or too noisy, "
                    "to tell whether "
                    "there is a difference ({}; A/A differs by {:.1f} %).",
                    heavy, times(contrast.ratio, contrast.interval), light, evidence(contrast),
                    100 * contrast.noise));
    return;
  }
  if (contrast.difference() == Difference::none) {
    sentences.push_back(fmt::format(
        "{} and {} show no difference in start-up: the ratio of {:.3g} (95 % interval {:.3g} to "
        "{:.3g}) is not told apart from noise ({}; A/A differs by {:.1f} %).",
        heavy, light, contrast.ratio, contrast.interval.low, contrast.interval.high,
        evidence(contrast), 100 * contrast.noise));
    return;
  }
  sentences.push_back(fmt::format(
      "{} takes {} as long to start as {} ({}; A/A differs by {:.1f} %).", heavy,
      times(contrast.ratio, contrast.interval), light, evidence(contrast), 100 * contrast.noise));
}

void add_why(const Summary& summary, const Pair& pair, std::vector<std::string>& sentences) {
  for (const auto& explanation : summary.explanations) {
    if (explanation.engine != pair.heavy || explanation.baseline != pair.light) continue;
    if (!explanation.sentences.empty()) {
      sentences.push_back(fmt::format("{}", fmt::join(explanation.sentences, " ")));
    }
  }
}

// The median of one side of a comparison, with its unit.
std::string absolute(const Summary& summary, const Metric& metric, const Comparison& item,
                     const std::string& engine) {
  for (const auto& figure : summary.figures) {
    if (figure.metric == item.metric && figure.workload == item.workload &&
        figure.engine == engine && figure.at == item.at) {
      return format_quantity(figure.figure.median, metric.unit);
    }
  }
  return "?";
}

// "a microVM 78.5 k/s, 0.865 times (95 % interval 0.86 to 0.87; p < 0.001, Cliff's delta -1.00)".
std::string beside_baseline(const Result& result, const Summary& summary, const Metric& metric,
                            const Comparison& item) {
  const auto& contrast = item.contrast;
  const auto name =
      spoken(result, item.engine) + " " + absolute(summary, metric, item, item.engine);
  const auto ratio =
      fmt::format("{:.3g} times (95 % interval {:.3g} to {:.3g}; {})", contrast.ratio,
                  contrast.interval.low, contrast.interval.high, evidence(contrast));
  switch (contrast.difference()) {
    case Difference::none:
      return fmt::format("{}, no difference: {}", name, ratio);
    case Difference::inconclusive:
      return fmt::format("{}, {}, which runs and noise leave open", name, ratio);
    default:
      return fmt::format("{}, {}", name, ratio);
  }
}

// The metrics that are not computed from marks: how every engine stands to the baseline of its
// host.
void add_metrics(const Result& result, const Summary& summary,
                 std::vector<std::string>& sentences) {
  for (const auto& metric : result.metrics) {
    // Done once on a host, and no property of a box that runs.
    if (is_image_metric(metric.name)) continue;
    std::map<std::pair<std::string, std::string>, std::vector<std::string>> parts;
    std::map<std::pair<std::string, std::string>, std::string> baselines;
    for (const auto& item : summary.comparisons) {
      if (item.metric != metric.name || item.at) continue;
      const std::pair key{item.workload, item.baseline};
      parts[key].push_back(beside_baseline(result, summary, metric, item));
      baselines[key] = absolute(summary, metric, item, item.baseline);
    }
    for (const auto& [key, list] : parts) {
      const auto of = key.first == metric.title ? "" : key.first + ", ";
      sentences.push_back(fmt::format("{} ({}{} is better), against {} with {}: {}.",
                                      capitalised(metric.title), of, to_string(metric.better),
                                      spoken(result, key.second), baselines[key],
                                      fmt::format("{}", fmt::join(list, "; "))));
    }
  }
}

void add_density(const Result& result, const Summary& summary, const Host& host, const Pair& pair,
                 std::vector<std::string>& sentences) {
  std::vector<std::string> parts;
  std::vector<std::string> lost;
  std::vector<std::string> uneven;
  for (const auto* engine : heaviest_first(summary)) {
    if (!engine->density || result.find_engine(engine->engine)->host != host.name) continue;
    const auto name = spoken(result, engine->engine);
    if (!engine->density->measurable()) {
      lost.push_back(name);
      continue;
    }
    if (!engine->density->linear()) {
      uneven.push_back(fmt::format("{} ({} in the first half of the growth, {} in the second)",
                                   name, size(engine->density->halves[0]),
                                   size(engine->density->halves[1])));
      continue;
    }
    const auto& line = engine->density->line;
    const auto cost = fmt::format("{} (95 % interval {} to {}{})", size(line.slope),
                                  size(line.slope_interval.low), size(line.slope_interval.high),
                                  engine->density->unstable() ? ", unstable" : "");
    parts.push_back(parts.empty() ? fmt::format("each further idle {} costs the host {} of memory",
                                                name.substr(2), cost)
                                  : fmt::format("{} {}", name, cost));
  }
  const auto where = host.kind == HostKind::deterministic_lab ? "In the lab: " : "";
  if (!parts.empty()) {
    auto sentence = *where == '\0' ? capitalised(listed(parts)) : where + listed(parts);
    const auto* ratio = find_ratio(summary, "memory per instance", pair);
    if (ratio != nullptr && result.find_engine(pair.heavy)->host == host.name) {
      sentence += fmt::format(": {} takes {} as much as {}", spoken(result, pair.heavy),
                              times(ratio->value, ratio->interval), spoken(result, pair.light));
    }
    sentences.push_back(sentence + ".");
  }
  if (!uneven.empty()) {
    sentences.push_back(fmt::format(
        "What one more costs is not one figure for {}: no ratio and no capacity is made of it.",
        listed(uneven)));
  }
  if (!lost.empty()) {
    sentences.push_back(fmt::format(
        "What one more costs is lost in the noise of this host's memory for {}.", listed(lost)));
  }
}

void add_monitor(const Summary& summary, const Pair& pair, std::vector<std::string>& sentences) {
  const auto* vm = summary.find(pair.heavy);
  if (vm == nullptr || !vm->alone) return;
  const auto& components = vm->alone->components;
  const auto monitor = components.find("monitor");
  const auto guest = components.find("guest RAM");
  if (monitor == components.end() || guest == components.end()) return;
  sentences.push_back(fmt::format(
      "An idle machine keeps {} of guest memory resident; the monitor holds {} beside it.",
      base::format_size(guest->second.rss), base::format_size(monitor->second.rss)));
}

std::string plural(const std::string& spoken_name) {
  // What is in brackets, and where it is, stays behind.
  const auto bracket =
      std::min({spoken_name.find(" ("), spoken_name.find(" in "), spoken_name.size()});
  const auto name = spoken_name.substr(2, bracket - 2);
  return name + (name.ends_with('s') || name.ends_with('x') ? "es" : "s") +
         spoken_name.substr(bracket);
}

void add_capacity(const Result& result, const Summary& summary,
                  std::vector<std::string>& sentences) {
  std::vector<std::string> parts;
  std::vector<std::string> stops;
  for (const auto* engine : heaviest_first(summary)) {
    if (!engine->density || !engine->density->dependable()) continue;
    const auto& density = *engine->density;
    const auto name = plural(spoken(result, engine->engine));
    parts.push_back(fmt::format("{:.0f} {}", std::floor(density.capacity), name));
    stops.push_back(fmt::format("{} {}, {}{}", density.survived, name,
                                density.stopped_by_budget ? "" : "failed: ", density.constraint));
  }
  if (parts.empty()) return;
  sentences.push_back(
      fmt::format("Extrapolated, not reached: at these slopes the memory available at the start "
                  "holds {}; every "
                  "growth reached {}.",
                  listed(parts), fmt::join(stops, "; ")));
}

}  // namespace

std::vector<std::string> verdicts(const Result& result, const Summary& summary) {
  std::vector<std::string> sentences;
  if (result.plan.page_cache == PageCache::cold) {
    sentences.emplace_back(
        "Of a cold page cache: what the host kept of files in memory was dropped before each start "
        "of the blocks, each growth and each measurement under load.");
  }
  const auto pair = headline(result, summary);
  add_headline(result, summary, pair, sentences);
  // Other kinds of machine against the same container: a cold one beside a warm one.
  for (const auto& other : summary.engines) {
    const auto* engine = result.find_engine(other.engine);
    const bool machine = engine->kind == BoxKind::machine && engine->repeats.empty();
    if (machine && engine->name != pair.heavy) {
      add_headline(result, summary, {engine->name, pair.light}, sentences);
    }
  }
  add_starts(result, summary, sentences);
  add_why(summary, pair, sentences);
  for (const auto& host : result.hosts) add_density(result, summary, host, pair, sentences);
  add_monitor(summary, pair, sentences);
  add_metrics(result, summary, sentences);
  add_capacity(result, summary, sentences);
  for (const auto& failure : result.failures) {
    sentences.push_back(fmt::format("{} was not measured ({}): {}",
                                    capitalised(spoken(result, failure.engine)), failure.stage,
                                    failure.message));
  }
  return sentences;
}

}  // namespace twinbox::compare
