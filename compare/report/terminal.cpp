#include "compare/report/terminal.hpp"

#include <algorithm>
#include <functional>
#include <optional>
#include <set>
#include <span>

#include "base/error.hpp"
#include "base/size.hpp"
#include "compare/audit.hpp"
#include "compare/report/quantity.hpp"
#include "compare/report/text.hpp"
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

// As many engines as stand beside one another in a terminal.
using Columns = std::span<const EngineSummary>;
constexpr std::size_t most_columns = 5;

std::string line(Columns columns, const std::string& label, const Cell& cell) {
  std::string text = left(printable(label), label_width);
  for (const auto& engine : columns) text += right(printable(cell(engine)), column_width);
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

std::string spent(const EngineSummary& engine, sandbox::Mark mark) {
  const auto found = engine.cpu_at_marks.find(mark);
  return found == engine.cpu_at_marks.end() ? "-" : format_time(found->second);
}

std::string starts(Columns columns) {
  using sandbox::Mark;
  return line(columns, "Start-up: request to exec",
              [](const auto& engine) { return figure(engine.to_executed); }) +
         line(columns, "Start-up: request to ready",
              [](const auto& engine) { return figure(engine.to_ready); }) +
         line(columns, "Tear-down: ready to gone",
              [](const auto& engine) { return figure(engine.teardown); }) +
         line(columns, "CPU time of one run",
              [](const auto& engine) { return figure(engine.cpu); }) +
         line(columns, "  until exec",
              [](const auto& engine) { return spent(engine, Mark::executed); }) +
         line(columns, "  until ready",
              [](const auto& engine) { return spent(engine, Mark::ready); });
}

// A line for each kind of memory that any engine's control group is charged for.
std::string cgroup(Columns columns) {
  std::set<std::string> kinds;
  for (const auto& engine : columns) {
    if (!engine.alone) continue;
    for (const auto& [name, bytes] : engine.alone->cgroup) kinds.insert(name);
  }
  std::string text;
  for (const auto& name : kinds) {
    text += line(columns, "  control group, " + name, [&](const auto& engine) {
      const bool known = engine.alone && engine.alone->cgroup.contains(name);
      return known ? size(static_cast<double>(engine.alone->cgroup.at(name))) : "-";
    });
  }
  return text;
}

std::string memory(Columns columns) {
  std::string text = line(columns, "Memory of one instance (PSS)",
                          [](const auto& engine) { return total(engine.alone, &Footprint::pss); });
  for (const char* const name : {"workload", "supervisor", "monitor", "guest RAM"}) {
    text += line(columns, std::string("  ") + name,
                 [&](const auto& engine) { return component(engine.alone, name); });
  }
  text += line(columns, "  USS",
               [](const auto& engine) { return total(engine.alone, &Footprint::uss); }) +
          line(columns, "  RSS",
               [](const auto& engine) { return total(engine.alone, &Footprint::rss); });
  return text + cgroup(columns) +
         line(columns, "  virtual, not resident",
              [](const auto& engine) { return total(engine.alone, &Footprint::virtual_size); }) +
         line(columns, "The workload's own view (total)", [](const auto& engine) {
           return engine.alone ? size(static_cast<double>(engine.alone->workload_total)) : "-";
         });
}

std::string density(Columns columns) {
  return line(columns, "One more instance costs the host",
              [](const auto& engine) {
                return engine.density ? size(engine.density->line.slope) : "-";
              }) +
         line(columns, "  95 % interval",
              [](const auto& engine) {
                if (!engine.density) return std::string("-");
                const auto& interval = engine.density->line.slope_interval;
                return size(interval.low) + " .. " + size(interval.high);
              }) +
         line(columns, "  is it one figure?",
              [](const auto& engine) -> std::string {
                if (!engine.density) return "-";
                if (!engine.density->measurable()) return "lost in noise";
                const auto flags = engine.density->flags();
                return flags.empty() ? "yes" : flags;
              }) +
         line(columns, "  every growth reached", [](const auto& engine) {
           if (!engine.density) return std::string("-");
           return fmt::format("{}, {}", engine.density->survived, engine.density->constraint);
         });
}

std::string place(const Result& result) {
  std::vector<std::string> hosts;
  for (const auto& host : result.hosts) {
    const auto measured = [&](const Engine& engine) { return engine.host == host.name; };
    if (std::none_of(result.engines.begin(), result.engines.end(), measured)) continue;
    hosts.push_back(host.kind == HostKind::native ? "this host"
                                                  : "an emulated host (deterministic lab)");
  }
  return fmt::format("{}", fmt::join(hosts, " and "));
}

std::string heading(const Result& result, const Summary& summary) {
  std::vector<std::string> names;
  for (const auto& engine : summary.engines) names.push_back(engine.engine);
  std::string text = "\n" +
                     printable(fmt::format("{} as {} on {}", result.plan.image,
                                           fmt::join(names, ", "), place(result))) +
                     "\n";
  if (result.has_lab()) {
    text +=
        "The lab's times are executed instructions, 1 ns each: they repeat exactly, and leave out\n"
        "what hardware takes for world switches, cache misses and devices.\n";
  }
  return text;
}

std::string names(const Result& result, Columns columns) {
  std::string text =
      "\n" + line(columns, "", [](const EngineSummary& engine) { return engine.engine; });
  const bool several = place(result).find(" and ") != std::string::npos;
  if (several) {
    text += line(columns, "measured on",
                 [&](const EngineSummary& engine) { return result.host_of(engine.engine).name; });
  }
  return text + std::string(label_width + column_width * columns.size(), '-') + "\n";
}

std::string figure(const Figure& value, const std::string& unit) {
  const double half =
      value.median > 0 ? 50 * (value.interval.high - value.interval.low) / value.median : 0;
  return fmt::format("{} ± {:.1f} %", format_quantity(value.median, unit), half);
}

// A line for each metric that is not of marks, by workload and parameter.
std::string metrics(const Result& result, const Summary& summary, Columns columns) {
  std::string text;
  for (const auto& metric : result.metrics) {
    std::set<std::pair<std::string, std::optional<double>>> told;
    for (const auto& item : summary.figures) {
      if (item.metric != metric.name || !told.emplace(item.workload, item.at).second) continue;
      const auto label = metric.title + (item.workload.empty() ? "" : ", " + item.workload) +
                         (item.at ? fmt::format(" at {}", *item.at) : "");
      text += line(columns, label, [&](const EngineSummary& engine) -> std::string {
        for (const auto& other : summary.figures) {
          if (other.engine == engine.engine && other.metric == item.metric &&
              other.workload == item.workload && other.at == item.at) {
            return figure(other.figure, metric.unit);
          }
        }
        return "-";
      });
    }
  }
  return text;
}

}  // namespace

std::string render_terminal(const Result& result) {
  const auto summary = summarise(result);
  std::string text = heading(result, summary);
  if (summary.engines.empty()) text += "Nothing was measured.\n";
  for (std::size_t first = 0; first < summary.engines.size(); first += most_columns) {
    const auto count = std::min(most_columns, summary.engines.size() - first);
    const auto columns = Columns(summary.engines).subspan(first, count);
    text += names(result, columns) + starts(columns) + memory(columns) + density(columns) +
            metrics(result, summary, columns);
  }
  text += "\n";
  for (const auto& sentence : summary.verdicts) text += printable(sentence) + "\n";
  text += "\n";
  std::vector<std::string> passed;
  for (const auto& row : audit(result, summary)) {
    if (row.state == AuditState::pass) {
      passed.push_back(row.check);
      continue;
    }
    text +=
        printable(fmt::format("{}: {}: {}", to_string(row.state), row.check, row.detail)) + "\n";
  }
  // What they found is in the report; here is no place for it.
  if (!passed.empty()) text += printable(fmt::format("pass: {}", fmt::join(passed, ", "))) + "\n";
  return text;
}

}  // namespace twinbox::compare
