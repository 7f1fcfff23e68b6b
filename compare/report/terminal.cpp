#include "compare/report/terminal.hpp"

#include <algorithm>
#include <functional>

#include "base/error.hpp"
#include "base/size.hpp"
#include "compare/audit.hpp"
#include "compare/summary.hpp"

namespace twinbox::compare {
namespace {

constexpr std::size_t label_width = 34;
constexpr std::size_t column_width = 22;

// Characters, not bytes: "µ" and "±" take two.
std::size_t width(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

std::string right(const std::string& text, std::size_t columns) {
  const auto used = width(text);
  return (used < columns ? std::string(columns - used, ' ') : " ") + text;
}

std::string left(const std::string& text, std::size_t columns) {
  const auto used = width(text);
  return text + (used < columns ? std::string(columns - used, ' ') : " ");
}

using Cell = std::function<std::string(const EngineSummary&)>;

std::string line(const Summary& summary, const std::string& label, const Cell& cell) {
  std::string text = left(label, label_width);
  for (const auto& engine : summary.engines) text += right(cell(engine), column_width);
  return text + "\n";
}

// "512 ms ± 0.4 %": half the width of the interval.
std::string figure(const std::optional<Figure>& value) {
  if (!value) return "-";
  const double half =
      value->median > 0 ? 50 * (value->interval.high - value->interval.low) / value->median : 0;
  return fmt::format("{} ± {:.1f} %", format_time(value->median), half);
}

std::string size(double bytes) {
  const auto whole = base::format_size(static_cast<std::uint64_t>(bytes < 0 ? -bytes : bytes));
  return bytes < 0 ? "-" + whole : whole;
}

std::string component(const std::optional<MemorySummary>& memory, const std::string& name) {
  if (!memory) return "-";
  const auto found = memory->components.find(name);
  return found == memory->components.end() ? "-" : size(static_cast<double>(found->second.pss));
}

std::string total(const std::optional<MemorySummary>& memory, std::uint64_t Footprint::*field) {
  return memory ? size(static_cast<double>(memory->total.*field)) : "-";
}

std::string starts(const Summary& summary) {
  return line(summary, "Start-up: request to exec",
              [](const auto& engine) { return figure(engine.to_executed); }) +
         line(summary, "Start-up: request to ready",
              [](const auto& engine) { return figure(engine.to_ready); }) +
         line(summary, "Tear-down: ready to gone",
              [](const auto& engine) { return figure(engine.teardown); }) +
         line(summary, "CPU time of one run",
              [](const auto& engine) { return figure(engine.cpu); });
}

std::string memory(const Summary& summary) {
  std::string text = line(summary, "Memory of one instance (PSS)",
                          [](const auto& engine) { return total(engine.alone, &Footprint::pss); });
  for (const char* const name : {"workload", "supervisor", "monitor", "guest RAM"}) {
    text += line(summary, std::string("  ") + name,
                 [&](const auto& engine) { return component(engine.alone, name); });
  }
  return text +
         line(summary, "  virtual, not resident",
              [](const auto& engine) { return total(engine.alone, &Footprint::virtual_size); }) +
         line(summary, "The workload's own view (total)", [](const auto& engine) {
           return engine.alone ? size(static_cast<double>(engine.alone->workload_total)) : "-";
         });
}

std::string density(const Summary& summary) {
  return line(summary, "One more instance costs the host",
              [](const auto& engine) {
                return engine.density ? size(engine.density->line.slope) : "-";
              }) +
         line(summary, "  95 % interval",
              [](const auto& engine) {
                if (!engine.density) return std::string("-");
                const auto& interval = engine.density->line.slope_interval;
                return size(interval.low) + " .. " + size(interval.high);
              }) +
         line(summary, "  instances, and what stopped it", [](const auto& engine) {
           if (!engine.density) return std::string("-");
           return fmt::format("{}, {}", engine.density->last, engine.density->constraint);
         });
}

std::string heading(const Result& result, const Summary& summary) {
  std::string text =
      fmt::format("\n{} as {} on {}\n", result.plan.image, fmt::join(result.plan.engines, ", "),
                  result.has_lab() ? "an emulated host (deterministic lab)" : "this host");
  if (result.has_lab()) {
    text +=
        "Times are executed instructions, 1 ns each: they repeat exactly, and leave out what\n"
        "hardware takes for world switches, cache misses and devices.\n";
  }
  text += "\n" + left("", label_width);
  for (const auto& engine : summary.engines) text += right(engine.engine, column_width);
  return text + "\n" + std::string(label_width + column_width * summary.engines.size(), '-') + "\n";
}

}  // namespace

std::string render_terminal(const Result& result) {
  const auto summary = summarise(result);
  std::string text =
      heading(result, summary) + starts(summary) + memory(summary) + density(summary);
  text += "\n";
  for (const auto& sentence : summary.verdicts) text += sentence + "\n";
  text += "\n";
  for (const auto& row : audit(result, summary)) {
    if (row.state == AuditState::pass) continue;
    text += fmt::format("{}: {}: {}\n", to_string(row.state), row.check, row.detail);
  }
  return text;
}

}  // namespace twinbox::compare
