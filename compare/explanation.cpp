#include "compare/explanation.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/error.hpp"

namespace twinbox::compare {
namespace {

using sandbox::Mark;

constexpr double least_share = 0.1;  // of the gap; what is less is told together
constexpr std::size_t most_named = 3;

// A stretch between two marks that both engines gave.
struct Stretch {
  std::string name;
  std::string baseline_name;
  double engine_ns = 0;
  double baseline_ns = 0;

  double gap() const { return engine_ns - baseline_ns; }
};

struct Named {
  std::vector<std::string> names;
  double end_ns = 0;
};

// The names of the phases after `from` up to `to`, and when the last of them ends; nothing when the
// engine did not give the mark `to`.
std::optional<Named> phases_between(const EngineSummary& engine, Mark from, Mark to) {
  Named found;
  for (const auto& phase : engine.phases) {
    if (phase.to <= from) continue;
    found.names.push_back(phase.name);
    if (phase.to == to) {
      found.end_ns = phase.start_ns + phase.length_ns;
      return found;
    }
  }
  return std::nullopt;
}

// The stretches from the request to ready. They are joined where either engine lacks the mark
// between two, so that their gaps sum to the whole.
std::vector<Stretch> stretches(const EngineSummary& engine, const EngineSummary& baseline) {
  std::vector<Stretch> found;
  Mark from = Mark::request;
  double engine_from = 0;
  double baseline_from = 0;
  for (const auto& phase : engine.phases) {
    if (phase.to > Mark::ready) break;
    const auto own = phases_between(engine, from, phase.to);
    const auto other = phases_between(baseline, from, phase.to);
    if (!own || !other) continue;
    found.push_back({joined_name(own->names, from, phase.to),
                     joined_name(other->names, from, phase.to), own->end_ns - engine_from,
                     other->end_ns - baseline_from});
    from = phase.to;
    engine_from = own->end_ns;
    baseline_from = other->end_ns;
  }
  return found;
}

int percent(double share) { return static_cast<int>(std::lround(100 * share)); }

std::string lengths(const Stretch& stretch) {
  const auto own = format_time(stretch.engine_ns);
  if (stretch.baseline_ns < 1) return fmt::format("{} against none", own);
  const auto other = format_time(stretch.baseline_ns);
  return stretch.name == stretch.baseline_name
             ? fmt::format("{} against {}", own, other)
             : fmt::format("{} against {} for \"{}\"", own, other, stretch.baseline_name);
}

// What makes up the gap, then what wins a part of it back, then all else: together 100 %.
std::string shares(std::vector<Stretch> parts, double gap) {
  const auto share = [&](const Stretch& stretch) { return stretch.gap() / gap; };
  std::sort(parts.begin(), parts.end(), [&](const Stretch& a, const Stretch& b) {
    return std::abs(share(a)) > std::abs(share(b));
  });
  std::vector<std::string> adding;
  std::vector<std::string> taking;
  int rest = 100;
  for (const auto& part : parts) {
    const bool adds = share(part) > 0;
    auto& list = adds ? adding : taking;
    if (std::abs(share(part)) < least_share || list.size() == most_named) continue;
    const int told = percent(share(part));
    rest -= told;
    list.push_back(fmt::format("\"{}\" {}{} % ({})", part.name,
                               !list.empty() ? ""
                               : adds        ? "makes up "
                                             : "wins back ",
                               std::abs(told), lengths(part)));
  }
  if (adding.empty()) return {};
  std::string text = fmt::format("{}", fmt::join(adding, ", "));
  if (!taking.empty()) text += fmt::format("; {}", fmt::join(taking, ", "));
  if (rest > 0) text += fmt::format("; all else adds {} %", rest);
  if (rest < 0) text += fmt::format("; all else wins back {} %", -rest);
  return text + ".";
}

// Exits of the boot. Those for which the guest waits are told apart: the time until it goes on is
// no work of the monitor's or of KVM's.
struct BootExits {
  double count = 0;
  double time_ns = 0;
  double waits = 0;
  const ExitCount* most = nullptr;
};

BootExits boot_exits(const Result& result, const std::string& engine) {
  BootExits sum;
  for (const auto& exit : result.exits) {
    if (exit.engine != engine || exit.workload != headline_workload(result) ||
        exit.phase != "boot") {
      continue;
    }
    sum.count += exit.count;
    if (exit.reason == "hlt") {
      sum.waits += exit.count;
      continue;
    }
    sum.time_ns += static_cast<double>(exit.time_ns);
    if (sum.most == nullptr || exit.count > sum.most->count) sum.most = &exit;
  }
  return sum;
}

std::string exits_text(const BootExits& exits, double gap) {
  const double share = exits.time_ns / gap;
  const auto explains = gap < 0        ? std::string("Exits do not explain the gap")
                        : share < 0.05 ? "Exits explain next to nothing of the gap"
                        : share < 1
                            ? fmt::format("Exits explain up to {} % of the gap", percent(share))
                            : "Exits may explain the whole gap";
  const auto waits =
      exits.waits < 1
          ? std::string()
          : fmt::format(" (the {:.0f} times that it waits, hlt, are left out)", exits.waits);
  return fmt::format(
      "{}: traced in runs of their own, the boot leaves the guest {:.0f} times, most of all for {} "
      "({:.0f}), and is outside of it for {}{}. That time is a part of the phases, not one more "
      "share.",
      explains, exits.count, exits.most->reason, exits.most->count, format_time(exits.time_ns),
      waits);
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
    const auto text = shares(stretches(*engine, *baseline), found.gap_ns);
    if (!text.empty()) {
      found.sentences.push_back(
          fmt::format("Of the {} that {} takes {} than {}, {}", format_time(std::abs(found.gap_ns)),
                      spoken(result, item.engine), found.gap_ns > 0 ? "longer" : "less",
                      spoken(result, item.baseline), text));
    }
    const auto exits = boot_exits(result, item.engine);
    if (exits.most != nullptr) found.sentences.push_back(exits_text(exits, found.gap_ns));
    all.push_back(std::move(found));
  }
  return all;
}

}  // namespace twinbox::compare
