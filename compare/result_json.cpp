// report.json: the result model as JSON, and back.

#include <algorithm>
#include <array>

#include "base/json.hpp"
#include "compare/audit.hpp"
#include "compare/result.hpp"
#include "compare/summary.hpp"
#include "compare/summary_json.hpp"

namespace twinbox::compare {
namespace {

using base::Json;
using base::JsonView;
using sandbox::Mark;

constexpr std::array all_marks{Mark::request,  Mark::entered,      Mark::created, Mark::booted,
                               Mark::executed, Mark::first_output, Mark::ready,   Mark::gone};

// The elements of a member that older or partial reports may lack.
std::vector<JsonView> elements(const JsonView& view, std::string_view key) {
  const auto member = view.find(key);
  return member ? member->elements() : std::vector<JsonView>();
}

Json write(const Workload& workload) { return {{"name", workload.name}, {"args", workload.args}}; }

Workload read_workload(const JsonView& view) {
  return {view.get<std::string>("name"), view.get<std::vector<std::string>>("args")};
}

Json write(const Plan& plan) {
  return {{"engines", plan.engines},
          {"image", plan.image},
          {"memory", plan.memory},
          {"cpus", plan.cpus},
          {"start_workload", write(plan.start)},
          {"idle_workload", write(plan.idle)},
          {"warm_ups", plan.warm_ups},
          {"blocks", plan.blocks},
          {"seed", plan.seed},
          {"timeout_s", plan.timeout_s},
          {"density",
           {{"limits", plan.density.limits},
            {"discarded_share", plan.density.discarded_share},
            {"settle_ms", plan.density.settle_ms},
            {"memory_share", plan.density.memory_share}}}};
}

Plan read_plan(const JsonView& view) {
  Plan plan;
  plan.engines = view.get<std::vector<std::string>>("engines");
  plan.image = view.get<std::string>("image");
  plan.memory = view.get<std::string>("memory");
  plan.cpus = view.get<int>("cpus");
  plan.start = read_workload(view.at("start_workload"));
  plan.idle = read_workload(view.at("idle_workload"));
  plan.warm_ups = view.get<int>("warm_ups");
  plan.blocks = view.get<int>("blocks");
  plan.seed = view.get<std::uint64_t>("seed");
  plan.timeout_s = view.get_or<int>("timeout_s", plan.timeout_s);
  const auto density = view.at("density");
  plan.density = {density.get<std::map<std::string, int>>("limits"),
                  density.get<double>("discarded_share"), density.get<int>("settle_ms"),
                  density.get<double>("memory_share")};
  return plan;
}

Json write(const std::vector<Fact>& facts) {
  Json json = Json::array();
  for (const auto& fact : facts) json.push_back({{"name", fact.name}, {"value", fact.value}});
  return json;
}

std::vector<Fact> read_facts(const JsonView& view, std::string_view key) {
  std::vector<Fact> facts;
  for (const auto& fact : elements(view, key)) {
    facts.push_back({fact.get<std::string>("name"), fact.get<std::string>("value")});
  }
  return facts;
}

HostKind read_host_kind(const JsonView& view) {
  const auto text = view.as<std::string>();
  for (const auto kind : {HostKind::native, HostKind::deterministic_lab}) {
    if (text == to_string(kind)) return kind;
  }
  view.fail("\"native\" or \"deterministic lab\"");
}

Json write(const Environment& environment) {
  return {{"kind", to_string(environment.kind)},
          {"facts", write(environment.facts)},
          {"lab_host", write(environment.lab_host)}};
}

Environment read_environment(const JsonView& view) {
  return {read_host_kind(view.at("kind")), read_facts(view, "facts"), read_facts(view, "lab_host")};
}

Json write(const StartSample& sample) {
  Json marks = Json::object();
  for (const auto& [mark, ns] : sample.marks) marks[std::string(to_string(mark))] = ns;
  return {{"engine", sample.engine},      {"block", sample.block}, {"position", sample.position},
          {"warm_up", sample.warm_up},    {"marks_ns", marks},     {"user_ns", sample.user_ns},
          {"system_ns", sample.system_ns}};
}

StartSample read_start(const JsonView& view) {
  StartSample sample;
  sample.engine = view.get<std::string>("engine");
  sample.block = view.get<int>("block");
  sample.position = view.get<int>("position");
  sample.warm_up = view.get<bool>("warm_up");
  const auto marks = view.at("marks_ns");
  for (const auto mark : all_marks) {
    if (const auto ns = marks.find(to_string(mark))) sample.marks[mark] = ns->as<std::uint64_t>();
  }
  sample.user_ns = view.get<std::uint64_t>("user_ns");
  sample.system_ns = view.get<std::uint64_t>("system_ns");
  return sample;
}

Json write(const Footprint& footprint) {
  return {{"virtual", footprint.virtual_size},
          {"rss", footprint.rss},
          {"pss", footprint.pss},
          {"uss", footprint.uss}};
}

Footprint read_footprint(const JsonView& view) {
  return {view.get<std::uint64_t>("virtual"), view.get<std::uint64_t>("rss"),
          view.get<std::uint64_t>("pss"), view.get<std::uint64_t>("uss")};
}

Json write(const InstanceMemory& memory) {
  Json components = Json::object();
  for (const auto& [name, footprint] : memory.components) components[name] = write(footprint);
  return {{"engine", memory.engine},
          {"instance", memory.instance},
          {"running", memory.running},
          {"components_bytes", components},
          {"processes", memory.processes},
          {"workload_view_bytes", memory.workload_view},
          {"kernel_command_line", memory.kernel_command_line}};
}

InstanceMemory read_memory(const JsonView& view) {
  InstanceMemory memory;
  memory.engine = view.get<std::string>("engine");
  memory.instance = view.get<int>("instance");
  memory.running = view.get<int>("running");
  for (const auto& [name, member] : view.at("components_bytes").members()) {
    memory.components[name] = read_footprint(member);
  }
  memory.processes = view.get<int>("processes");
  memory.workload_view = view.get<std::map<std::string, std::uint64_t>>("workload_view_bytes");
  memory.kernel_command_line = view.get_or<std::string>("kernel_command_line", "");
  return memory;
}

Json write(const DensitySeries& series) {
  Json points = Json::array();
  for (const auto& point : series.points) {
    points.push_back({{"instances", point.instances}, {"available_bytes", point.available_bytes}});
  }
  return {{"engine", series.engine}, {"points", points}, {"constraint", series.constraint}};
}

DensitySeries read_density(const JsonView& view) {
  DensitySeries series;
  series.engine = view.get<std::string>("engine");
  for (const auto& point : view.at("points").elements()) {
    series.points.push_back(
        {point.get<int>("instances"), point.get<std::uint64_t>("available_bytes")});
  }
  series.constraint = view.get<std::string>("constraint");
  return series;
}

Json write(const Failure& failure) {
  return {{"engine", failure.engine}, {"stage", failure.stage}, {"message", failure.message}};
}

Failure read_failure(const JsonView& view) {
  return {view.get<std::string>("engine"), view.get<std::string>("stage"),
          view.get<std::string>("message")};
}

template <typename T>
Json write_all(const std::vector<T>& items) {
  Json json = Json::array();
  for (const auto& item : items) json.push_back(write(item));
  return json;
}

void check_schema(const JsonView& view) {
  if (view.get_or<std::string>("schema", "") != "twinbox-report") {
    view.fail("a report of twinbox compare");
  }
  const auto version = view.at("schema_version");
  if (version.as<int>() < 1 || version.as<int>() > schema_version) {
    version.fail(fmt::format("a version from 1 to {}", schema_version));
  }
}

}  // namespace

std::string to_json(const Result& result) {
  const auto summary = summarise(result);
  const Json json{{"schema", "twinbox-report"},
                  {"schema_version", schema_version},
                  {"twinbox_version", result.version},
                  {"command", result.command},
                  {"plan", write(result.plan)},
                  {"image_digest", result.image_digest},
                  {"environment", write(result.environment)},
                  {"starts", write_all(result.starts)},
                  {"memory", write_all(result.memory)},
                  {"density", write_all(result.density)},
                  {"failures", write_all(result.failures)},
                  {"computed", write_computed(summary, audit(result, summary))}};
  // Error texts and command lines come from elsewhere and may be no UTF-8.
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result result_from_json(std::string_view text, std::string_view source) {
  const auto json = base::parse_json(text, source);
  const JsonView view(json, std::string(source));
  check_schema(view);
  Result result;
  result.version = view.get<std::string>("twinbox_version");
  result.command = view.get_or<std::string>("command", "");
  result.plan = read_plan(view.at("plan"));
  result.image_digest = view.get_or<std::string>("image_digest", "");
  result.environment = read_environment(view.at("environment"));
  for (const auto& item : elements(view, "starts")) result.starts.push_back(read_start(item));
  for (const auto& item : elements(view, "memory")) result.memory.push_back(read_memory(item));
  for (const auto& item : elements(view, "density")) result.density.push_back(read_density(item));
  for (const auto& item : elements(view, "failures")) {
    result.failures.push_back(read_failure(item));
  }
  return result;
}

}  // namespace twinbox::compare
