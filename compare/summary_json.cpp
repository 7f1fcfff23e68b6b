#include "compare/summary_json.hpp"

#include <nlohmann/json.hpp>

#include "compare/result_parts.hpp"

namespace twinbox::compare {
namespace {

using base::Json;

template <typename T>
Json write_all(const std::vector<T>& items);

Json write(const Interval& interval) { return Json::array({interval.low, interval.high}); }

Json write(const Figure& figure) {
  return {{"median", figure.median},
          {"interval", write(figure.interval)},
          {"p90", figure.p90},
          {"p90_interval", write(figure.p90_interval)},
          {"p99", figure.p99},
          {"p99_interval", write(figure.p99_interval)},
          {"count", figure.count},
          {"outlier_blocks", figure.outliers},
          {"drift_share", figure.drift.share},
          {"drift_p", figure.drift.p},
          {"drifted", figure.drift.drifted()},
          {"unstable", figure.unstable()}};
}

// Whose quantity it is; "at" only where the metric has a parameter.
template <typename T>
Json subject(const T& item) {
  Json json{{"metric", item.metric}, {"workload", item.workload}, {"engine", item.engine}};
  if (item.at) json["at"] = *item.at;
  return json;
}

Json write(const MetricFigure& item) {
  Json json = write(item.figure);
  json.update(subject(item));
  return json;
}

Json write(const NoiseFloor& floor) {
  Json json = subject(floor);
  json["share"] = floor.share;
  json["own_run"] = floor.own_run;
  return json;
}

Json write(const Comparison& comparison) {
  const auto& contrast = comparison.contrast;
  Json json = subject(comparison);
  json.update({{"baseline", comparison.baseline},
               {"ratio", contrast.ratio},
               {"interval", write(contrast.interval)},
               {"p", contrast.p},
               {"p_adjusted", contrast.p_adjusted},
               {"cliffs_delta", contrast.delta},
               {"effect", effect_size(contrast.delta)},
               {"noise", contrast.noise},
               {"difference", to_string(contrast.difference())}});
  return json;
}

Json write(const Explanation& explanation) {
  return {{"engine", explanation.engine},
          {"baseline", explanation.baseline},
          {"gap_ns", explanation.gap_ns},
          {"sentences", explanation.sentences}};
}

Json write(const Phase& phase) {
  return {{"from", to_string(phase.from)},
          {"to", to_string(phase.to)},
          {"name", phase.name},
          {"joined", phase.joined},
          {"start_ns", phase.start_ns},
          {"length_ns", phase.length_ns}};
}

Json write(const MemorySummary& memory) {
  Json components = Json::object();
  for (const auto& [name, footprint] : memory.components) components[name] = write(footprint);
  return {{"running", memory.running},
          {"components_bytes", components},
          {"total_bytes", write(memory.total)},
          {"cgroup_bytes", memory.cgroup},
          {"processes", memory.processes},
          {"workload_total_bytes", memory.workload_total},
          {"workload_available_bytes", memory.workload_available}};
}

Json write(const DensitySummary& density) {
  return {{"state", density.state},
          {"bytes_per_instance", density.line.slope},
          {"interval_bytes", write(density.line.slope_interval)},
          {"half_slopes_bytes", Json::array({density.halves[0], density.halves[1]})},
          {"linear", density.linear()},
          {"unstable", density.unstable()},
          {"intercept_bytes", density.line.intercept},
          {"r_squared", density.line.r_squared},
          {"fitted_from", density.first},
          {"fitted_to", density.last},
          {"extrapolated_capacity", density.capacity},
          {"constraint", density.constraint},
          {"detail", density.detail},
          {"stopped_by_budget", density.stopped_by_budget},
          {"survived", density.survived}};
}

template <typename T>
void add(Json& json, const char* name, const std::optional<T>& value) {
  if (value) json[name] = write(*value);
}

Json write(const EngineSummary& engine) {
  Json json{{"engine", engine.engine}, {"phases", write_all(engine.phases)}};
  add(json, "to_executed", engine.to_executed);
  add(json, "to_ready", engine.to_ready);
  add(json, "teardown", engine.teardown);
  add(json, "cpu", engine.cpu);
  json["cpu_at_marks_ns"] = Json::object();
  for (const auto& [mark, median] : engine.cpu_at_marks) {
    json["cpu_at_marks_ns"][std::string(to_string(mark))] = median;
  }
  add(json, "memory_alone", engine.alone);
  add(json, "memory_together", engine.together);
  add(json, "density", engine.density);
  json["other_densities"] = write_all(engine.other_densities);
  return json;
}

Json write(const Ratio& ratio) {
  return {{"metric", ratio.metric},
          {"engine", ratio.engine},
          {"baseline", ratio.baseline},
          {"ratio", ratio.value},
          {"interval", write(ratio.interval)}};
}

template <typename T>
Json write_all(const std::vector<T>& items) {
  Json json = Json::array();
  for (const auto& item : items) json.push_back(write(item));
  return json;
}

}  // namespace

Json write_computed(const Summary& summary, const std::vector<AuditRow>& audit) {
  return {{"engines", write_all(summary.engines)},
          {"metrics", write_all(summary.metrics)},
          {"figures", write_all(summary.figures)},
          {"noise", write_all(summary.noise)},
          {"comparisons", write_all(summary.comparisons)},
          {"ratios", write_all(summary.ratios)},
          {"explanations", write_all(summary.explanations)},
          {"verdicts", summary.verdicts},
          {"audit", write_all(audit)}};
}

}  // namespace twinbox::compare
