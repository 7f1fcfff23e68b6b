// report.json: the result model as JSON. result_read.cpp is the way back.

#include <nlohmann/json.hpp>

#include "base/json.hpp"
#include "compare/audit.hpp"
#include "compare/plan_json.hpp"
#include "compare/result.hpp"
#include "compare/result_parts.hpp"
#include "compare/summary.hpp"
#include "compare/summary_json.hpp"

namespace twinbox::compare {
namespace {

using base::Json;
using sandbox::Mark;

template <typename T>
Json write_all(const std::vector<T>& items);

Json write(const Fact& fact) { return {{"name", fact.name}, {"value", fact.value}}; }

Json write(const Host& host) {
  return {{"name", host.name}, {"kind", to_string(host.kind)}, {"facts", write_all(host.facts)}};
}

template <typename T>
Json write(const std::map<Mark, T>& marks) {
  Json json = Json::object();
  for (const auto& [mark, value] : marks) json[std::string(to_string(mark))] = value;
  return json;
}

Json write(const Engine& engine) {
  return {{"name", engine.name},
          {"title", engine.title},
          {"kind", to_string(engine.kind)},
          {"host", engine.host},
          {"repeats", engine.repeats},
          {"version", engine.version},
          {"command", engine.command},
          {"settings", write_all(engine.settings)},
          {"image_digest", engine.image_digest},
          {"missing_marks", write(engine.missing_marks)}};
}

Json write(const MeasuredWorkload& workload) {
  return {{"name", workload.name},   {"title", workload.title},
          {"image", workload.image}, {"image_digest", workload.image_digest},
          {"args", workload.args},   {"ready", workload.ready}};
}

Json write(const StartSample& sample) {
  return {{"engine", sample.engine},        {"workload", sample.workload},
          {"block", sample.block},          {"position", sample.position},
          {"warm_up", sample.warm_up},      {"marks_ns", write(sample.marks)},
          {"cpu_ns", write(sample.cpu_ns)}, {"user_ns", sample.user_ns},
          {"system_ns", sample.system_ns}};
}

Json write(const Measurement& measurement) {
  Json json{{"metric", measurement.metric},     {"engine", measurement.engine},
            {"workload", measurement.workload}, {"block", measurement.block},
            {"position", measurement.position}, {"warm_up", measurement.warm_up},
            {"value", measurement.value}};
  if (measurement.at) json["at"] = *measurement.at;
  return json;
}

Json write(const InstanceMemory& memory) {
  Json components = Json::object();
  for (const auto& [name, footprint] : memory.components) components[name] = write(footprint);
  return {{"engine", memory.engine},
          {"state", memory.state},
          {"instance", memory.instance},
          {"running", memory.running},
          {"components_bytes", components},
          {"cgroup_bytes", memory.cgroup_bytes},
          {"processes", memory.processes},
          {"workload_view_bytes", memory.workload_view},
          {"kernel_command_line", memory.kernel_command_line}};
}

Json write(const DensityPoint& point) {
  Json json{{"instances", point.instances}, {"available_bytes", point.available_bytes}};
  if (point.ready_ns) json["ready_ns"] = *point.ready_ns;
  return json;
}

Json write(const DensitySeries& series) {
  return {{"engine", series.engine},
          {"state", series.state},
          {"repeat", series.repeat},
          {"points", write_all(series.points)},
          {"constraint", series.constraint},
          {"detail", series.detail},
          {"stopped_by_budget", series.stopped_by_budget}};
}

Json write(const ExitCount& exit) {
  return {{"engine", exit.engine}, {"workload", exit.workload}, {"phase", exit.phase},
          {"reason", exit.reason}, {"count", exit.count},       {"time_ns", exit.time_ns}};
}

Json write(const Failure& failure) {
  return {{"engine", failure.engine}, {"stage", failure.stage}, {"message", failure.message}};
}

template <typename T>
Json write_all(const std::vector<T>& items) {
  Json json = Json::array();
  for (const auto& item : items) json.push_back(write(item));
  return json;
}

template <typename T>
void write_any(Json& json, const char* key, const std::vector<T>& items) {
  if (!items.empty()) json[key] = write_all(items);
}

}  // namespace

Json write(const Metric& metric) {
  return {{"name", metric.name},
          {"title", metric.title},
          {"unit", metric.unit},
          {"better", to_string(metric.better)},
          {"definition", metric.definition},
          {"parameter", metric.parameter}};
}

Json write(const Footprint& footprint) {
  return {{"virtual", footprint.virtual_size},
          {"rss", footprint.rss},
          {"pss", footprint.pss},
          {"uss", footprint.uss}};
}

Json write(const AuditRow& row) {
  return {{"check", row.check}, {"state", to_string(row.state)}, {"detail", row.detail}};
}

Json write_samples(const Result& result) {
  Json json = Json::object();
  write_any(json, "starts", result.starts);
  write_any(json, "measurements", result.measurements);
  write_any(json, "memory", result.memory);
  write_any(json, "density", result.density);
  write_any(json, "exits", result.exits);
  write_any(json, "failures", result.failures);
  return json;
}

std::string to_json(const Result& result) {
  const auto summary = summarise(result);
  const Json json{{"schema", "twinbox-report"},
                  {"schema_version", schema_version},
                  {"twinbox_version", result.version},
                  {"command", result.command},
                  {"measured_at", result.measured_at},
                  {"plan", write_plan(result.plan)},
                  {"image_digest", result.image_digest},
                  {"hosts", write_all(result.hosts)},
                  {"engines", write_all(result.engines)},
                  {"workloads", write_all(result.workloads)},
                  {"metrics", write_all(result.metrics)},
                  {"starts", write_all(result.starts)},
                  {"measurements", write_all(result.measurements)},
                  {"memory", write_all(result.memory)},
                  {"density", write_all(result.density)},
                  {"exits", write_all(result.exits)},
                  {"audit", write_all(result.audit)},
                  {"failures", write_all(result.failures)},
                  {"computed", write_computed(summary, audit(result, summary))}};
  // Error texts and command lines come from elsewhere and may be no UTF-8.
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace twinbox::compare
