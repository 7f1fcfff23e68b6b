// The runner's measurements under load.

#include <algorithm>
#include <chrono>
#include <map>
#include <set>
#include <utility>

#include "base/error.hpp"
#include "compare/runner.hpp"

namespace twinbox::compare {

void Runner::measure_load() {
  const auto& load = plan_.load;
  if (load.parallel.empty() && load.beside.empty()) return;
  const auto metrics = load_metrics();
  result_.metrics.insert(result_.metrics.end(), metrics.begin(), metrics.end());
  for (int round = 0; round < load.rounds; ++round) {
    const auto enough = points_with_enough(round);
    const auto wanted = [&](const char* metric, int at) { return !enough.contains({metric, at}); };
    for (const auto& engine : load_order(plan_, round)) {
      for (const int parallel : load.parallel) {
        progress_.estimate().carry_out(under_load(engine), [&] {
          return wanted(launch_rate_metric, parallel) &&
                 measure_launch_rate(engine, parallel, round);
        });
      }
      for (const int others : others_beside(plan_, engine)) {
        progress_.estimate().carry_out(under_load(engine), [&] {
          return wanted(beside_metric, others) && measure_beside(engine, others, round);
        });
      }
    }
  }
}

// Of what is finished before `round`, so that an interruption within one changes nothing.
std::set<Runner::LoadPoint> Runner::points_with_enough(int round) const {
  const int least = plan_.load.least_rounds;
  if (plan_.enough <= 0 || least == 0 || round < least) return {};
  std::map<LoadPoint, std::map<std::string, std::vector<double>>> values;
  std::set<std::pair<LoadPoint, std::string>> still_there;  // as in has_enough()
  for (const auto& done : journal_.finished().measurements) {
    const bool under_load = done.metric == launch_rate_metric || done.metric == beside_metric;
    if (!under_load || done.block >= round) continue;
    const LoadPoint point{done.metric, done.at.value_or(0)};
    values[point][done.engine].push_back(done.value);
    if (done.block == round - 1) still_there.insert({point, done.engine});
  }
  std::set<LoadPoint> enough;
  for (const auto& [point, engines] : values) {
    const bool narrow = std::ranges::all_of(engines, [&, &at = point](const auto& of) {
      return !still_there.contains({at, of.first}) || is_narrow(of.second);
    });
    if (narrow) enough.insert(point);
  }
  return enough;
}

bool Runner::is_measured(const Measurement& wanted) const {
  return std::ranges::any_of(journal_.finished().measurements, [&](const Measurement& done) {
    return done.metric == wanted.metric && done.engine == wanted.engine && done.at == wanted.at &&
           done.block == wanted.block;
  });
}

// Measures what is not measured yet; `values` gives the samples of one round.
bool Runner::measure_under_load(Measurement wanted,
                                const std::function<std::vector<double>()>& values) {
  if (is_left_out(wanted.engine, wanted.metric) || is_measured(wanted)) return false;
  progress_.say(fmt::format("{}: {}, {}", wanted.metric, wanted.engine, wanted.at.value_or(0)));
  const auto part = attempt(wanted.engine, wanted.metric, [&] {
    settle();
    Result measured;
    for (const double value : values()) {
      wanted.value = value;
      measured.measurements.push_back(wanted);
      ++wanted.position;
    }
    return measured;
  });
  if (part) journal_.append(*part);
  return part.has_value();
}

std::vector<LaunchRequest> Runner::requests_for(const std::string& engine, const Workload& workload,
                                                int count) {
  std::vector<LaunchRequest> requests;
  for (int i = 0; i < count; ++i) requests.push_back(request_for(engine, workload));
  return requests;
}

bool Runner::measure_launch_rate(const std::string& engine, int parallel, int round) {
  Measurement wanted{launch_rate_metric,
                     engine,
                     plan_.start.name,
                     round,
                     0,
                     false,
                     static_cast<double>(parallel),
                     0};
  return measure_under_load(std::move(wanted), [&] {
    return std::vector{launch_rate(starter(engine),
                                   requests_for(engine, plan_.start, plan_.load.launches), parallel,
                                   std::chrono::seconds(plan_.timeout_s))};
  });
}

bool Runner::measure_beside(const std::string& engine, int others, int round) {
  Measurement wanted{
      beside_metric, engine, plan_.start.name, round, 0, false, static_cast<double>(others), 0};
  return measure_under_load(std::move(wanted), [&] {
    return starts_beside(starter(engine), requests_for(engine, plan_.idle, others),
                         requests_for(engine, plan_.start, plan_.load.beside_runs),
                         std::chrono::seconds(plan_.timeout_s));
  });
}

Start Runner::starter(const std::string& engine) {
  return [&adapter = *adapters_.at(engine)](LaunchRequest request) {
    return Box(adapter, std::move(request));
  };
}

}  // namespace twinbox::compare
