#include "compare/summary_json.hpp"

namespace twinbox::compare {
namespace {

using base::Json;

Json write(const Interval& interval) { return Json::array({interval.low, interval.high}); }

Json write(const Figure& figure) {
  return {{"median_ns", figure.median},   {"interval_ns", write(figure.interval)},
          {"p90_ns", figure.p90},         {"p99_ns", figure.p99},
          {"count", figure.count},        {"outliers", figure.outliers},
          {"unstable", figure.unstable()}};
}

Json write(const Phase& phase) {
  return {{"from", to_string(phase.from)},
          {"to", to_string(phase.to)},
          {"name", phase.name},
          {"start_ns", phase.start_ns},
          {"length_ns", phase.length_ns}};
}

Json write(const Footprint& footprint) {
  return {{"virtual", footprint.virtual_size},
          {"rss", footprint.rss},
          {"pss", footprint.pss},
          {"uss", footprint.uss}};
}

Json write(const MemorySummary& memory) {
  Json components = Json::object();
  for (const auto& [name, footprint] : memory.components) components[name] = write(footprint);
  return {{"running", memory.running},
          {"components_bytes", components},
          {"total_bytes", write(memory.total)},
          {"processes", memory.processes},
          {"workload_total_bytes", memory.workload_total},
          {"workload_available_bytes", memory.workload_available}};
}

Json write(const DensitySummary& density) {
  return {{"bytes_per_instance", density.line.slope},
          {"interval_bytes", write(density.line.slope_interval)},
          {"intercept_bytes", density.line.intercept},
          {"r_squared", density.line.r_squared},
          {"fitted_from", density.first},
          {"fitted_to", density.last},
          {"extrapolated_capacity", density.capacity},
          {"constraint", density.constraint}};
}

template <typename T>
void add(Json& json, const char* name, const std::optional<T>& value) {
  if (value) json[name] = write(*value);
}

Json write(const EngineSummary& engine) {
  Json json{{"engine", engine.engine}, {"phases", Json::array()}};
  for (const auto& phase : engine.phases) json["phases"].push_back(write(phase));
  add(json, "to_executed", engine.to_executed);
  add(json, "to_ready", engine.to_ready);
  add(json, "teardown", engine.teardown);
  add(json, "cpu", engine.cpu);
  add(json, "memory_alone", engine.alone);
  add(json, "memory_together", engine.together);
  add(json, "density", engine.density);
  return json;
}

Json write(const Ratio& ratio) {
  return {{"metric", ratio.metric},
          {"engine", ratio.engine},
          {"baseline", ratio.baseline},
          {"ratio", ratio.value},
          {"interval", write(ratio.interval)}};
}

Json write(const AuditRow& row) {
  return {{"check", row.check}, {"state", to_string(row.state)}, {"detail", row.detail}};
}

}  // namespace

Json write_computed(const Summary& summary, const std::vector<AuditRow>& audit) {
  Json json{{"engines", Json::array()},
            {"ratios", Json::array()},
            {"verdicts", summary.verdicts},
            {"audit", Json::array()}};
  for (const auto& engine : summary.engines) json["engines"].push_back(write(engine));
  for (const auto& ratio : summary.ratios) json["ratios"].push_back(write(ratio));
  for (const auto& row : audit) json["audit"].push_back(write(row));
  return json;
}

}  // namespace twinbox::compare
