#include "compare/explanation.hpp"

#include <algorithm>
#include <cmath>

#include "base/error.hpp"

namespace twinbox::compare {
namespace {

using sandbox::Mark;

// A stretch between two marks that both engines gave.
struct Stretch {
  std::string name;
  double engine_ns = 0;
  double baseline_ns = 0;

  double gap() const { return engine_ns - baseline_ns; }
};

// The engine's phases up to ready, joined where the baseline lacks the mark between two.
std::vector<Stretch> stretches(const EngineSummary& engine, const EngineSummary& baseline) {
  std::vector<Stretch> found;
  double engine_from = 0;
  double baseline_from = 0;
  std::vector<std::string> names;
  for (const auto& phase : engine.phases) {
    if (phase.to > Mark::ready) break;
    names.push_back(phase.name);
    const auto same = std::find_if(baseline.phases.begin(), baseline.phases.end(),
                                   [&](const Phase& other) { return other.to == phase.to; });
    if (same == baseline.phases.end()) continue;
    const double engine_to = phase.start_ns + phase.length_ns;
    const double baseline_to = same->start_ns + same->length_ns;
    found.push_back({fmt::format("{}", fmt::join(names, " and ")), engine_to - engine_from,
                     baseline_to - baseline_from});
    engine_from = engine_to;
    baseline_from = baseline_to;
    names.clear();
  }
  return found;
}

std::string spoken_of(const Result& result, const std::string& engine) {
  const auto* described = result.find_engine(engine);
  return spoken(described == nullptr ? describe_engine(engine) : *described);
}

void add_exits(const Result& result, const std::string& engine, double gap,
               std::vector<std::string>& sentences) {
  double count = 0;
  double time = 0;
  const ExitCount* most = nullptr;
  for (const auto& exit : result.exits) {
    if (exit.engine != engine || exit.workload != headline_workload(result) ||
        exit.phase != "boot") {
      continue;
    }
    count += exit.count;
    time += static_cast<double>(exit.time_ns);
    if (most == nullptr || exit.count > most->count) most = &exit;
  }
  if (most == nullptr || count == 0) return;
  sentences.push_back(
      fmt::format("Its boot leaves the guest {:.0f} times, most of all for {} ({:.0f}); handling "
                  "them takes {}, "
                  "{:.0f} % of the gap.",
                  count, most->reason, most->count, format_time(time), 100 * time / gap));
}

std::string share_text(const Stretch& stretch, double gap) {
  return fmt::format("{:.0f} % is \"{}\" ({} against {})", 100 * stretch.gap() / gap, stretch.name,
                     format_time(stretch.engine_ns),
                     stretch.baseline_ns < 1 ? "none" : format_time(stretch.baseline_ns));
}

}  // namespace

std::vector<Explanation> explain(const Result& result, const Summary& summary) {
  std::vector<Explanation> all;
  for (const auto& item : summary.comparisons) {
    if (item.metric != "start-up" || item.workload != headline_workload(result)) continue;
    const auto difference = item.contrast.difference();
    if (difference == Difference::none || difference == Difference::inconclusive) continue;
    const auto* engine = summary.find(item.engine);
    const auto* baseline = summary.find(item.baseline);
    if (engine == nullptr || baseline == nullptr) continue;
    Explanation found{
        item.engine, item.baseline, engine->to_ready->median - baseline->to_ready->median, {}};
    auto parts = stretches(*engine, *baseline);
    std::sort(parts.begin(), parts.end(), [&](const Stretch& a, const Stretch& b) {
      return a.gap() / found.gap_ns > b.gap() / found.gap_ns;
    });
    std::string text =
        fmt::format("Of the {} that {} takes {} than {}, ", format_time(std::abs(found.gap_ns)),
                    spoken_of(result, item.engine), found.gap_ns > 0 ? "longer" : "less",
                    spoken_of(result, item.baseline));
    // What is a tenth of the gap or more, and three stretches at most, say enough.
    std::vector<std::string> shares;
    for (const auto& part : parts) {
      if (shares.size() == 3 || part.gap() / found.gap_ns < 0.1) break;
      shares.push_back(share_text(part, found.gap_ns));
    }
    if (!shares.empty()) {
      found.sentences.push_back(text + fmt::format("{}.", fmt::join(shares, ", ")));
    }
    add_exits(result, item.engine, found.gap_ns, found.sentences);
    all.push_back(std::move(found));
  }
  return all;
}

}  // namespace twinbox::compare
