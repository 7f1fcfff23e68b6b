#include "compare/plan.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "compare/random.hpp"

namespace twinbox::compare {
namespace {

[[noreturn]] void refuse(std::string message) {
  throw base::Error(base::ErrorKind::usage, std::move(message), "see: twinbox help compare");
}

}  // namespace

int DensityPlan::limit_of(const std::string& engine) const {
  const auto found = limits.find(engine);
  return found == limits.end() ? 1 : found->second;
}

Plan quick_plan() {
  Plan plan;
  plan.warm_ups = 1;
  plan.blocks = 7;
  plan.density.limits = {{"process", 40}, {"container", 40}, {"vm", 6}};
  return plan;
}

std::vector<Step> schedule(const Plan& plan) {
  Random random(plan.seed);
  std::vector<Step> steps;
  for (int block = 0; block < plan.warm_ups + plan.blocks; ++block) {
    auto engines = plan.engines;
    random.shuffle(engines);
    for (std::size_t i = 0; i < engines.size(); ++i) {
      steps.push_back({engines[i], block, static_cast<int>(i), block < plan.warm_ups});
    }
  }
  return steps;
}

std::vector<std::string> density_order(const Plan& plan) {
  // Its own stream: more blocks must not change the order of the growth.
  Random random(plan.seed + 1);
  auto engines = plan.engines;
  random.shuffle(engines);
  return engines;
}

void check(const Plan& plan) {
  if (plan.engines.empty()) refuse("there is no engine to compare");
  for (const auto& engine : plan.engines) {
    if (engine != "process" && engine != "container" && engine != "vm") {
      refuse(fmt::format("there is no engine '{}' (process, container, vm)", engine));
    }
    if (std::count(plan.engines.begin(), plan.engines.end(), engine) > 1) {
      refuse(fmt::format("the engine '{}' is named twice", engine));
    }
  }
  if (plan.blocks < 1) refuse("a comparison needs at least one run of each engine");
  if (plan.warm_ups < 0) refuse("the number of warm-ups is negative");
}

}  // namespace twinbox::compare
