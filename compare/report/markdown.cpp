#include "compare/report/markdown.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "compare/audit.hpp"
#include "compare/report/quantity.hpp"
#include "compare/summary.hpp"

namespace twinbox::compare {
namespace {

// A cell: what would end it, or the table, is escaped.
std::string cell(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '\n') {
      escaped += ' ';
      continue;
    }
    if (c == '|' || c == '\\') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

std::string row(const std::vector<std::string>& cells) {
  std::string text = "|";
  for (const auto& content : cells) text += " " + cell(content) + " |";
  return text + "\n";
}

std::string header(const std::vector<std::string>& cells) {
  std::string text = row(cells) + "|";
  for (std::size_t i = 0; i < cells.size(); ++i) text += i == 0 ? " --- |" : " ---: |";
  return text + "\n";
}

const Metric* find(const Summary& summary, const std::string& name) {
  const auto found = std::find_if(summary.metrics.begin(), summary.metrics.end(),
                                  [&](const Metric& metric) { return metric.name == name; });
  return found == summary.metrics.end() ? nullptr : &*found;
}

template <typename T>
std::string subject(const T& item) {
  return fmt::format("{}, {}{}", item.metric, item.workload,
                     item.at ? fmt::format(" at {}", *item.at) : "");
}

std::string title_of(const Result& result, const std::string& engine) {
  const auto* described = result.find_engine(engine);
  return described == nullptr ? engine : described->title;
}

std::string figures(const Result& result, const Summary& summary) {
  std::string text = "## Figures\n\n" + header({"metric", "engine", "host", "median",
                                                "95 % interval", "p90", "p99", "runs", "flags"});
  for (const auto& item : summary.figures) {
    const auto& unit = find(summary, item.metric)->unit;
    const auto say = [&](double value) { return format_quantity(value, unit); };
    const auto& figure = item.figure;
    std::vector<std::string> flags;
    if (figure.unstable()) flags.emplace_back("unstable");
    if (figure.drift.drifted()) flags.emplace_back("drifted");
    if (!figure.outliers.empty())
      flags.push_back(fmt::format("{} outliers", figure.outliers.size()));
    text += row({subject(item), title_of(result, item.engine), result.host_of(item.engine).name,
                 say(figure.median), say(figure.interval.low) + " to " + say(figure.interval.high),
                 say(figure.p90), say(figure.p99), std::to_string(figure.count),
                 fmt::format("{}", fmt::join(flags, ", "))});
  }
  return text + "\n";
}

std::string ratios(const Result& result, const Summary& summary) {
  std::string text =
      "## Ratios\n\n" + header({"metric", "engine", "to", "ratio", "95 % interval", "p (Holm)",
                                "Cliff's delta", "A/A noise", "verdict"});
  for (const auto& item : summary.comparisons) {
    const auto& contrast = item.contrast;
    text += row({subject(item), title_of(result, item.engine), title_of(result, item.baseline),
                 fmt::format("{:.3g}", contrast.ratio),
                 fmt::format("{:.3g} to {:.3g}", contrast.interval.low, contrast.interval.high),
                 fmt::format("{:.2g}", contrast.p_adjusted), fmt::format("{:.2f}", contrast.delta),
                 fmt::format("{:.1f} %", 100 * contrast.noise),
                 std::string(to_string(contrast.difference()))});
  }
  return text + "\n";
}

std::string audit_rows(const Result& result, const Summary& summary) {
  std::string text = "## Fairness\n\n" + header({"state", "check", "found"});
  for (const auto& item : audit(result, summary)) {
    text += row({std::string(to_string(item.state)), item.check, item.detail});
  }
  return text + "\n";
}

}  // namespace

std::string render_markdown(const Result& result) {
  const auto summary = summarise(result);
  std::string text = fmt::format("# {} compared\n\n", result.plan.image);
  if (result.has_lab()) {
    text +=
        "Times of the deterministic lab are executed instructions, 1 ns each; they leave out what "
        "hardware takes for world switches, cache misses and devices.\n\n";
  }
  for (const auto& sentence : summary.verdicts) text += "- " + sentence + "\n";
  text += "\n" + figures(result, summary) + ratios(result, summary) + audit_rows(result, summary);
  text += "## Hosts\n\n";
  for (const auto& host : result.hosts) {
    text += fmt::format("### {} ({})\n\n{}", host.name, to_string(host.kind),
                        header({"fact", "value"}));
    for (const auto& item : host.facts) text += row({item.name, item.value});
    text += "\n";
  }
  return text + fmt::format("Measured by twinbox {} with `{}`, seed {}.\n", result.version,
                            result.command, result.plan.seed);
}

}  // namespace twinbox::compare
