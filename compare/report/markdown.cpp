#include "compare/report/markdown.hpp"

#include <algorithm>
#include <cmath>

#include "base/error.hpp"
#include "compare/audit.hpp"
#include "compare/report/quantity.hpp"
#include "compare/report/text.hpp"
#include "compare/summary.hpp"

namespace twinbox::compare {
namespace {

std::string row(const std::vector<std::string>& cells) {
  std::string text = "|";
  for (const auto& content : cells) text += " " + markdown_text(content) + " |";
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

// As the page names it: the workload goes without saying where it is the start or an idle instance.
template <typename T>
std::string subject(const Summary& summary, const T& item) {
  const auto* metric = find(summary, item.metric);
  auto text = metric == nullptr ? item.metric : metric->title;
  if (!item.workload.empty() && item.workload != "start-up" && item.workload != "idle") {
    text += ", " + item.workload;
  }
  return text + (item.at ? fmt::format(" at {}", *item.at) : "");
}

std::string bytes(double value) { return format_quantity(value, "B"); }

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
    if (!figure.outliers.empty()) flags.push_back(counted(figure.outliers.size(), "outlier"));
    text += row({subject(summary, item), title_of(result, item.engine),
                 result.host_of(item.engine).name, say(figure.median),
                 say(figure.interval.low) + " to " + say(figure.interval.high), say(figure.p90),
                 say(figure.p99), std::to_string(figure.count),
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
    text += row({subject(summary, item), title_of(result, item.engine),
                 title_of(result, item.baseline), fmt::format("{:.3g}", contrast.ratio),
                 fmt::format("{:.3g} to {:.3g}", contrast.interval.low, contrast.interval.high),
                 fmt::format("{:.2g}", contrast.p_adjusted), fmt::format("{:.2f}", contrast.delta),
                 fmt::format("{:.1f} %", 100 * contrast.noise),
                 std::string(to_string(contrast.difference()))});
  }
  return text + "\n";
}

std::string footprint_row(const std::string& name, const std::string& part,
                          const Footprint& footprint) {
  const auto say = [](std::uint64_t value) { return bytes(static_cast<double>(value)); };
  return row({name, part, say(footprint.pss), say(footprint.uss), say(footprint.rss),
              say(footprint.virtual_size)});
}

std::string memory_rows(const std::string& name, const MemorySummary& memory) {
  std::string text;
  for (const auto& [part, footprint] : memory.components) {
    text += footprint_row(name, part, footprint);
  }
  return text + footprint_row(name, "all of it", memory.total);
}

// What is not of processes: the control group, and what the workload sees.
std::string other_memory_row(const std::string& name, const MemorySummary& memory) {
  const auto say = [](std::uint64_t value) {
    return value == 0 ? std::string("-") : bytes(static_cast<double>(value));
  };
  const auto charged = [&](const char* kind) {
    const auto found = memory.cgroup.find(kind);
    return found == memory.cgroup.end() ? "-" : bytes(static_cast<double>(found->second));
  };
  return row({name, std::to_string(memory.processes), charged("anon"), charged("file"),
              charged("shmem"), charged("kernel"), say(memory.workload_total),
              say(memory.workload_available)});
}

std::string memory(const Result& result, const Summary& summary) {
  std::string parts;
  std::string others;
  for (const auto& engine : summary.engines) {
    for (const auto* memory : {&engine.alone, &engine.together}) {
      if (!*memory) continue;
      const auto name = title_of(result, engine.engine) +
                        ((*memory)->running == 1 ? std::string(", alone")
                                                 : fmt::format(", {} running", (*memory)->running));
      parts += memory_rows(name, **memory);
      others += other_memory_row(name, **memory);
    }
  }
  if (parts.empty()) return {};
  return "## Memory of one instance\n\nVirtual size is address space, and no memory.\n\n" +
         header({"engine", "part", "PSS", "USS", "RSS", "virtual"}) + parts + "\n" +
         header({"engine", "processes", "control group: anon", "file", "shmem", "kernel",
                 "the workload's view: total", "available"}) +
         others + "\n";
}

std::string density_row(const std::string& name, const DensitySummary& density) {
  const auto& interval = density.line.slope_interval;
  const auto flags = density.measurable() ? density.flags() : "lost in noise";
  return row({name, density.state, bytes(density.line.slope),
              bytes(interval.low) + " to " + bytes(interval.high), bytes(density.halves[0]),
              bytes(density.halves[1]), fmt::format("{:.4f}", density.line.r_squared), flags,
              std::to_string(density.survived),
              (density.stopped_by_budget ? "" : "failed: ") + density.constraint,
              density.capacity > 0 ? fmt::format("{:.0f}", std::floor(density.capacity)) : "-"});
}

std::string density(const Result& result, const Summary& summary) {
  std::string rows;
  for (const auto& engine : summary.engines) {
    const auto name = title_of(result, engine.engine);
    if (engine.density) rows += density_row(name, *engine.density);
    for (const auto& other : engine.other_densities) rows += density_row(name, other);
  }
  if (rows.empty()) return {};
  return "## Density\n\nWhat one more instance costs the host: the slope of its lost "
         "MemAvailable.\n"
         "\n" +
         header({"engine", "instances", "slope", "95 % interval", "first half", "second half", "R²",
                 "flags", "every growth reached", "ended by", "capacity, extrapolated"}) +
         rows + "\n";
}

std::string audit_rows(const Result& result, const Summary& summary) {
  std::string text = "## Fairness\n\n" + header({"state", "check", "found"});
  for (const auto& item : audit(result, summary)) {
    text += row({std::string(to_string(item.state)), item.check, item.detail});
  }
  return text + "\n";
}

// Those that something was measured on: of others the facts would be noise.
std::string hosts(const Result& result) {
  std::string text = "## Hosts\n\n";
  for (const auto& host : result.hosts) {
    const auto on_it = [&](const Engine& engine) { return engine.host == host.name; };
    if (std::ranges::none_of(result.engines, on_it)) continue;
    text += fmt::format("### {} ({})\n\n{}", markdown_text(host.name), to_string(host.kind),
                        header({"fact", "value"}));
    for (const auto& item : host.facts) text += row({item.name, item.value});
    text += "\n";
  }
  return text;
}

}  // namespace

std::string render_markdown(const Result& result) {
  const auto summary = summarise(result);
  std::string text = fmt::format("# {} compared\n\n", markdown_text(result.plan.image));
  if (result.has_lab()) {
    text +=
        "Times of the deterministic lab are executed instructions, 1 ns each; they leave out what "
        "hardware takes for world switches, cache misses and devices.\n\n";
  }
  for (const auto& sentence : summary.verdicts) text += "- " + markdown_text(sentence) + "\n";
  text += "\n" + figures(result, summary) + ratios(result, summary) + memory(result, summary) +
          density(result, summary) + audit_rows(result, summary) + hosts(result);
  return text + fmt::format("Measured by twinbox {} with {}, seed {}.\n",
                            markdown_text(result.version), markdown_code(result.command),
                            result.plan.seed);
}

}  // namespace twinbox::compare
