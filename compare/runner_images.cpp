// The runner's imports of the image into the engines' stores. They come last: what they do to the
// host's memory and disk is in no other figure.

#include <unistd.h>

#include <algorithm>

#include "base/error.hpp"
#include "compare/environment.hpp"
#include "compare/image_import.hpp"
#include "compare/orphans.hpp"
#include "compare/runner.hpp"

namespace twinbox::compare {

std::vector<Step> Runner::import_steps() const {
  auto steps = schedule_imports(plan_);
  std::erase_if(
      steps, [&](const Step& step) { return !adapters_.at(step.engine)->why_no_import().empty(); });
  return steps;
}

void Runner::measure_images() {
  const auto steps = import_steps();
  if (steps.empty()) return;
  const auto metrics = image_metrics();
  result_.metrics.insert(result_.metrics.end(), metrics.begin(), metrics.end());
  describe_images(steps);
  warm_up_imports_again(steps);
  for (const auto& step : steps) {
    progress_.estimate().carry_out(importing(step.engine), [&] { return measure_import(step); });
  }
}

// In the place of workloads: nothing runs.
void Runner::describe_images(const std::vector<Step>& steps) {
  for (const auto& step : steps) {
    const auto image = image_of(step.engine, plan_.start);
    if (std::ranges::find(result_.workloads, image, &MeasuredWorkload::name) ==
        result_.workloads.end()) {
      result_.workloads.push_back({image, image, image, image_digest(image), {}, "it is stored"});
    }
  }
}

// What the interruption left cold: once around, and not counted.
void Runner::warm_up_imports_again(const std::vector<Step>& steps) {
  const auto rest = std::ranges::find_if(steps, [&](const Step& step) { return is_due(step); });
  if (rest == steps.end() || rest->warm_up) return;
  for (const auto& step : steps) {
    if (!step.warm_up || is_left_out(step.engine, import_metric)) continue;
    progress_.say(
        fmt::format("{}: warm-up after the interruption, {}", import_metric, step.engine));
    attempt(step.engine, import_metric, [&] { return import_image(step); });
  }
}

bool Runner::is_due(const Step& step) const {
  return !is_left_out(step.engine, import_metric) && !is_measured(import_of(step));
}

bool Runner::measure_import(const Step& step) {
  if (!is_due(step)) return false;
  progress_.say(fmt::format("{}: round {} of {}{}, {}", import_metric, step.block + 1,
                            plan_.image_imports + 1, step.warm_up ? " (warm-up)" : "",
                            step.engine));
  const auto part = attempt(step.engine, import_metric, [&] { return import_image(step); });
  if (part) journal_.append(*part);
  return part.has_value();
}

Measurement Runner::import_of(const Step& step) const {
  return {import_metric,
          step.engine,
          image_of(step.engine, plan_.start),
          step.block,
          step.position,
          step.warm_up,
          {},
          0};
}

Result Runner::import_image(const Step& step) {
  auto measured = import_of(step);
  const auto import = adapters_.at(step.engine)->import_image(measured.workload);
  // What was written before goes to the disk now, not while this waits for it.
  ::sync();
  wait_for_quiet();
  reap_orphans();
  const auto times = time_import(import, std::chrono::seconds(plan_.timeout_s));
  Result part;
  measured.value = times.import;
  part.measurements.push_back(measured);
  if (times.conversion) {
    measured.metric = conversion_metric;
    measured.value = *times.conversion;
    part.measurements.push_back(measured);
  }
  return part;
}

}  // namespace twinbox::compare
