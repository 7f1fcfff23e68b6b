#include "compare/plan_json.hpp"

namespace twinbox::compare {
namespace {

using base::Json;
using base::JsonView;

Json write(const Workload& workload) { return {{"name", workload.name}, {"args", workload.args}}; }

Workload read_workload(const JsonView& view) {
  return {view.get<std::string>("name"), view.get<std::vector<std::string>>("args")};
}

}  // namespace

Json write_plan(const Plan& plan) {
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

}  // namespace twinbox::compare
