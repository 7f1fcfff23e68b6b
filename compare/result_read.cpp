// report.json, read back into the result model, whichever version wrote it.

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "base/json.hpp"
#include "base/size.hpp"
#include "compare/plan_json.hpp"
#include "compare/result.hpp"
#include "compare/result_parts.hpp"

namespace twinbox::compare {
namespace {

using base::JsonView;
using sandbox::Mark;

constexpr std::array all_marks{Mark::request,  Mark::entered,      Mark::created, Mark::booted,
                               Mark::executed, Mark::first_output, Mark::ready,   Mark::gone};

std::string text(const JsonView& view, std::string_view key) {
  return view.get_or<std::string>(key, "");
}

// Appends what `read` makes of each element of a member that older or partial reports may lack.
template <typename T>
void read_all(const JsonView& view, std::string_view key, T (*read)(const JsonView&),
              std::vector<T>& items) {
  const auto member = view.find(key);
  if (!member) return;
  for (const auto& element : member->elements()) items.push_back(read(element));
}

// The one of `values` whose name the field holds.
template <typename T, std::size_t n>
T read_name(const JsonView& view, const std::array<T, n>& values) {
  const auto name = view.as<std::string>();
  std::vector<std::string> known;
  for (const auto value : values) {
    if (name == to_string(value)) return value;
    known.push_back(fmt::format("\"{}\"", to_string(value)));
  }
  view.fail(fmt::format("one of {}", fmt::join(known, ", ")));
}

HostKind read_host_kind(const JsonView& view) {
  return read_name(view, std::array{HostKind::native, HostKind::deterministic_lab});
}

Fact read_fact(const JsonView& view) {
  return {view.get<std::string>("name"), view.get<std::string>("value")};
}

// The audit compares sizes.
Fact read_setting(const JsonView& view) {
  auto setting = read_fact(view);
  if (setting.name == "memory" && !setting.value.empty() && setting.value != "not limited") {
    base::parse_size(setting.value, view.at("value").path());
  }
  return setting;
}

Host read_host(const JsonView& view) {
  Host host{view.get<std::string>("name"), read_host_kind(view.at("kind")), {}};
  read_all(view, "facts", read_fact, host.facts);
  return host;
}

template <typename T>
std::map<Mark, T> read_marks(const JsonView& view) {
  std::map<Mark, T> marks;
  for (const auto& [name, member] : view.members()) {
    const auto mark =
        std::find_if(all_marks.begin(), all_marks.end(),
                     [&known_name = name](Mark known) { return to_string(known) == known_name; });
    if (mark == all_marks.end()) member.fail("no mark of this name");
    marks[*mark] = member.template as<T>();
  }
  return marks;
}

Engine read_engine(const JsonView& view) {
  Engine engine;
  engine.name = view.get<std::string>("name");
  engine.title = view.get<std::string>("title");
  engine.kind = read_name(view.at("kind"),
                          std::array{BoxKind::process, BoxKind::container, BoxKind::machine});
  engine.host = view.get<std::string>("host");
  engine.repeats = text(view, "repeats");
  engine.version = text(view, "version");
  engine.command = view.get_or<std::vector<std::string>>("command", {});
  read_all(view, "settings", read_setting, engine.settings);
  engine.image_digest = text(view, "image_digest");
  if (const auto marks = view.find("missing_marks")) {
    engine.missing_marks = read_marks<std::string>(*marks);
  }
  return engine;
}

MeasuredWorkload read_workload(const JsonView& view) {
  return {view.get<std::string>("name"),
          view.get<std::string>("title"),
          text(view, "image"),
          text(view, "image_digest"),
          view.get_or<std::vector<std::string>>("args", {}),
          text(view, "ready")};
}

Metric read_metric(const JsonView& view) {
  return {view.get<std::string>("name"),
          view.get<std::string>("title"),
          view.get<std::string>("unit"),
          read_name(view.at("better"), std::array{Better::lower, Better::higher}),
          view.get<std::string>("definition"),
          text(view, "parameter")};
}

StartSample read_start(const JsonView& view) {
  StartSample sample;
  sample.engine = view.get<std::string>("engine");
  sample.workload = view.get_or<std::string>("workload", sample.workload);
  sample.block = view.get<int>("block");
  sample.position = view.get<int>("position");
  sample.warm_up = view.get<bool>("warm_up");
  sample.marks = read_marks<std::uint64_t>(view.at("marks_ns"));
  if (const auto cpu = view.find("cpu_ns")) sample.cpu_ns = read_marks<std::uint64_t>(*cpu);
  sample.user_ns = view.get<std::uint64_t>("user_ns");
  sample.system_ns = view.get<std::uint64_t>("system_ns");
  return sample;
}

Measurement read_measurement(const JsonView& view) {
  Measurement measurement;
  measurement.metric = view.get<std::string>("metric");
  measurement.engine = view.get<std::string>("engine");
  measurement.workload = view.get<std::string>("workload");
  measurement.block = view.get<int>("block");
  measurement.position = view.get_or<int>("position", 0);
  measurement.warm_up = view.get_or<bool>("warm_up", false);
  if (const auto at = view.find("at")) measurement.at = at->as<double>();
  measurement.value = view.get<double>("value");
  return measurement;
}

Footprint read_footprint(const JsonView& view) {
  return {view.get<std::uint64_t>("virtual"), view.get<std::uint64_t>("rss"),
          view.get<std::uint64_t>("pss"), view.get<std::uint64_t>("uss")};
}

InstanceMemory read_memory(const JsonView& view) {
  InstanceMemory memory;
  memory.engine = view.get<std::string>("engine");
  memory.state = view.get_or<std::string>("state", memory.state);
  memory.instance = view.get<int>("instance");
  memory.running = view.get<int>("running");
  for (const auto& [name, member] : view.at("components_bytes").members()) {
    memory.components[name] = read_footprint(member);
  }
  memory.cgroup_bytes = view.get_or<std::map<std::string, std::uint64_t>>("cgroup_bytes", {});
  memory.processes = view.get<int>("processes");
  memory.workload_view = view.get<std::map<std::string, std::uint64_t>>("workload_view_bytes");
  memory.kernel_command_line = text(view, "kernel_command_line");
  return memory;
}

DensityPoint read_point(const JsonView& view) {
  DensityPoint point{view.get<int>("instances"), view.get<std::uint64_t>("available_bytes"), {}};
  if (const auto ready = view.find("ready_ns")) point.ready_ns = ready->as<std::uint64_t>();
  return point;
}

DensitySeries read_density(const JsonView& view) {
  DensitySeries series;
  series.engine = view.get<std::string>("engine");
  series.state = view.get_or<std::string>("state", series.state);
  series.repeat = view.get_or<int>("repeat", 0);
  const auto points = view.at("points");
  // A growth begins with the one of no instances.
  if (points.elements().empty()) points.fail("at least one point");
  read_all(view, "points", read_point, series.points);
  series.constraint = view.get<std::string>("constraint");
  series.detail = text(view, "detail");
  series.stopped_by_budget =
      view.get_or<bool>("stopped_by_budget", !series.constraint.starts_with("instance failed"));
  return series;
}

ExitCount read_exit(const JsonView& view) {
  return {view.get<std::string>("engine"), view.get<std::string>("workload"),
          view.get<std::string>("phase"),  view.get<std::string>("reason"),
          view.get<double>("count"),       view.get<std::uint64_t>("time_ns")};
}

AuditRow read_audit(const JsonView& view) {
  return {
      view.get<std::string>("check"),
      read_name(view.at("state"), std::array{AuditState::pass, AuditState::warn, AuditState::fail}),
      view.get<std::string>("detail")};
}

Failure read_failure(const JsonView& view) {
  return {view.get<std::string>("engine"), view.get<std::string>("stage"),
          view.get<std::string>("message")};
}

int checked_version(const JsonView& view) {
  if (text(view, "schema") != "twinbox-report") view.fail("a report of twinbox compare");
  const auto version = view.at("schema_version");
  if (version.as<int>() < 1 || version.as<int>() > schema_version) {
    version.fail(fmt::format("a version from 1 to {}", schema_version));
  }
  return version.as<int>();
}

// Version 1 had one host, known by its kind, and engines by their names only.
void read_version_1(const JsonView& view, Result& result) {
  const auto environment = view.at("environment");
  const auto kind = read_host_kind(environment.at("kind"));
  const bool lab = kind == HostKind::deterministic_lab;
  result.hosts.push_back({lab ? "lab" : "this host", kind, {}});
  read_all(environment, "facts", read_fact, result.hosts.front().facts);
  if (lab) {
    result.hosts.push_back({"this host", HostKind::native, {}});
    read_all(environment, "lab_host", read_fact, result.hosts.back().facts);
  }
  for (const auto& name : result.plan.engines) {
    result.engines.push_back(describe_engine(name));
    result.engines.back().host = result.hosts.front().name;
    result.engines.back().image_digest = result.image_digest;
  }
  result.workloads.push_back({"start-up", "start-up", result.plan.image, result.image_digest,
                              result.plan.start.args, "output line 'ready'"});
}

void read_version_2(const JsonView& view, Result& result) {
  result.measured_at = view.get<std::string>("measured_at");
  view.at("hosts").elements();
  read_all(view, "hosts", read_host, result.hosts);
  view.at("engines").elements();
  read_all(view, "engines", read_engine, result.engines);
  read_all(view, "workloads", read_workload, result.workloads);
  read_all(view, "metrics", read_metric, result.metrics);
  read_all(view, "audit", read_audit, result.audit);
}

// A sample of what the report does not describe is of nothing.
template <typename T>
void check_names(const JsonView& view, std::string_view list, std::string_view field,
                 const std::vector<T>& described) {
  const auto member = view.find(list);
  if (!member) return;
  for (const auto& element : member->elements()) {
    const auto name = element.at(field);
    const auto text = name.as<std::string>();
    if (std::ranges::find(described, text, &T::name) == described.end()) {
      name.fail(fmt::format("the name of a {} that the report describes", field));
    }
  }
}

void check_references(const JsonView& view, const Result& result) {
  for (const auto* const list : {"starts", "measurements", "memory", "density", "exits"}) {
    check_names(view, list, "engine", result.engines);
  }
  check_names(view, "measurements", "metric", result.metrics);
}

}  // namespace

void read_samples(const JsonView& view, Result& into) {
  read_all(view, "starts", read_start, into.starts);
  read_all(view, "measurements", read_measurement, into.measurements);
  read_all(view, "memory", read_memory, into.memory);
  read_all(view, "density", read_density, into.density);
  read_all(view, "exits", read_exit, into.exits);
  read_all(view, "failures", read_failure, into.failures);
}

Result result_from_json(std::string_view text_of_report, std::string_view source) {
  const auto json = base::parse_json(text_of_report, source);
  const auto view = JsonView::with_pointers(json, source);
  const int version = checked_version(view);
  Result result;
  result.version = view.get<std::string>("twinbox_version");
  result.command = text(view, "command");
  result.plan = version == 1 ? read_plan_of_version_1(view.at("plan")) : read_plan(view.at("plan"));
  result.image_digest = text(view, "image_digest");
  read_samples(view, result);
  if (version == 1) {
    read_version_1(view, result);
  } else {
    read_version_2(view, result);
    check_names(view, "engines", "host", result.hosts);
  }
  check_references(view, result);
  return result;
}

}  // namespace twinbox::compare
