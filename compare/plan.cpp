#include "compare/plan.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <string_view>

#include "base/error.hpp"
#include "base/size.hpp"
#include "compare/image_import.hpp"
#include "compare/load.hpp"
#include "compare/random.hpp"
#include "compare/series.hpp"

namespace twinbox::compare {
namespace {

[[noreturn]] void refuse(std::string message) {
  throw base::Error(base::ErrorKind::usage, std::move(message), "see: twinbox help compare");
}

constexpr std::array known_engines{"process", "container", "vm",   "qemu",      "docker",
                                   "podman",  "runc",      "crun", "bubblewrap"};

bool is_known(const std::string& engine) {
  return engine == "command" || std::ranges::find(known_engines, engine) != known_engines.end();
}

// Ours with settings that are often compared, by short names.
EngineSettings settings_by_name(const std::string& name) {
  if (name == "vm-cold") return {.engine = "vm", .start = "cold"};
  if (name == "vm-warm") return {.engine = "vm", .start = "warm"};
  if (name == "vm-stock") return {.engine = "vm", .kernel = "stock"};
  if (name == "vm-tuned") return {.engine = "vm", .kernel = "tuned"};
  return {.engine = name};
}

// What its instances are as heavy as. Others' are containers, unless a template says otherwise.
std::string kind_of(const std::string& engine) {
  if (engine == "process") return engine;
  return engine == "vm" || engine == "qemu" ? "vm" : "container";
}

void check_engine(const Plan& plan, const std::string& name) {
  const auto settings = plan.settings_of(name);
  if (!is_known(settings.engine)) {
    refuse(fmt::format("there is no engine '{}' ({}; vm-cold, vm-warm, vm-stock, vm-tuned)",
                       settings.engine, fmt::join(known_engines, ", ")));
  }
  if (std::ranges::count(plan.engines, name) > 1) {
    refuse(fmt::format("the engine '{}' is named twice", name));
  }
  if (settings.engine == "command" && settings.command.empty()) {
    refuse(fmt::format("the engine '{}' has no command", name));
  }
  if (!settings.repeats.empty() &&
      std::ranges::find(plan.engines, settings.repeats) == plan.engines.end()) {
    refuse(fmt::format("the engine '{}' repeats '{}', which is not in the plan", name,
                       settings.repeats));
  }
  if (settings.engine != "vm" && !settings.start.empty()) {
    refuse(fmt::format("the engine '{}' has no '{}' start: only vm has", name, settings.start));
  }
  if (!settings.memory.empty()) base::parse_size(settings.memory, "engine " + name + ": memory");
}

// A workload's figure is a metric of its name, and must not be mixed with one of another unit.
std::set<std::string> names_of_metrics() {
  std::set<std::string> names{memory_metric().name};
  for (const auto& metrics : {mark_metrics(), load_metrics(), image_metrics()}) {
    for (const auto& metric : metrics) names.insert(metric.name);
  }
  return names;
}

void check_workloads(const Plan& plan) {
  const auto metrics = names_of_metrics();
  std::set<std::string> names{plan.start.name, plan.idle.name};
  for (const auto& workload : plan.workloads) {
    if (workload.args.empty()) refuse(fmt::format("workload '{}' has no command", workload.name));
    if (!names.insert(workload.name).second) {
      refuse(fmt::format("the workload '{}' is named twice", workload.name));
    }
    if (metrics.contains(workload.name)) {
      refuse(fmt::format("the workload '{}' has the name of a metric: give it another one",
                         workload.name));
    }
  }
}

void check_load(const LoadPlan& load) {
  if (std::ranges::any_of(load.parallel, [](int parallel) { return parallel < 1; })) {
    refuse("at least one start is under way at once");
  }
  if (std::ranges::any_of(load.beside, [](int others) { return others < 0; })) {
    refuse("a negative number of instances cannot run already");
  }
}

void check_density(const DensityPlan& density) {
  for (const auto& state : density.states) {
    if (state != "idle" && state != "touched" && state != "active") {
      refuse(fmt::format("instances are idle, touched or active, not '{}'", state));
    }
  }
}

std::vector<Step> blocks_of(const std::vector<std::string>& all, std::uint64_t seed, int warm_ups,
                            int blocks) {
  Random random(seed);
  std::vector<Step> steps;
  for (int block = 0; block < warm_ups + blocks; ++block) {
    auto engines = all;
    random.shuffle(engines);
    for (std::size_t i = 0; i < engines.size(); ++i) {
      steps.push_back({engines[i], block, static_cast<int>(i), block < warm_ups});
    }
  }
  return steps;
}

std::vector<std::string> without_repetitions(const Plan& plan) {
  auto engines = plan.engines;
  std::erase_if(engines, [&](const std::string& engine) {
    return !plan.settings_of(engine).repeats.empty();
  });
  return engines;
}

// FNV-1a: the same on every platform, as std::hash is not.
std::uint64_t hash_of(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const char c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3U;
  }
  return hash;
}

// Its own stream: neither more blocks nor more rounds change the order of another.
std::vector<std::string> order_for(const Plan& plan, const std::string& what) {
  Random random(plan.seed ^ hash_of(what));
  auto engines = without_repetitions(plan);
  random.shuffle(engines);
  return engines;
}

}  // namespace

int Plan::most_instances(const std::string& name) const {
  const auto engine = settings_of(name).engine;
  const auto kind = kind_of(engine);
  for (const auto& key : {name, engine, kind}) {
    const auto found = density.limits.find(key);
    if (found != density.limits.end()) return found->second;
  }
  return DensityPlan().limits.at(kind);
}

EngineSettings Plan::settings_of(const std::string& name) const {
  const auto found = settings.find(name);
  return found == settings.end() ? settings_by_name(name) : found->second;
}

Plan quick_plan() {
  Plan plan;
  plan.warm_ups = 1;
  plan.least_blocks = 7;
  plan.enough = 0.01;
  plan.workload_blocks = 3;
  plan.image_imports = 3;
  plan.load.parallel.clear();
  plan.load.beside.clear();
  plan.density.limits = {{"process", 40}, {"container", 40}, {"vm", 6}};
  return plan;
}

Plan publish_plan() {
  Plan plan;
  plan.blocks = 100;
  plan.least_blocks = 30;
  plan.enough = 0.01;
  plan.workload_blocks = 30;
  plan.image_imports = 10;
  plan.density.states = {"idle", "touched", "active"};
  plan.density.repeats = 3;
  plan.load = {.parallel = {1, 2, 4, 8},
               .launches = 16,
               .beside = {0, 4, 16},
               .beside_runs = 20,
               .rounds = 5,
               .least_rounds = 3};
  return plan;
}

std::vector<Step> schedule(const Plan& plan) {
  return blocks_of(plan.engines, plan.seed, plan.warm_ups, plan.blocks);
}

std::vector<Step> schedule(const Plan& plan, const Workload& workload) {
  // Its own stream, by its name: another workload in the plan must not change its order.
  return blocks_of(plan.engines, plan.seed ^ hash_of(workload.name), 1, plan.workload_blocks);
}

std::vector<Step> schedule_imports(const Plan& plan) {
  if (plan.image_imports == 0) return {};
  return blocks_of(without_repetitions(plan), plan.seed ^ hash_of("image import"), 1,
                   plan.image_imports);
}

std::vector<std::string> density_order(const Plan& plan, const std::string& state, int repeat) {
  return order_for(plan, fmt::format("density, {} {}", state, repeat));
}

std::vector<std::string> load_order(const Plan& plan, int round) {
  return order_for(plan, fmt::format("load {}", round));
}

std::vector<int> others_beside(const Plan& plan, const std::string& engine) {
  auto others = plan.load.beside;
  std::erase_if(others, [&](int count) { return count > plan.most_instances(engine); });
  return others;
}

void add_repetition(Plan& plan) {
  const auto& engines = plan.engines;
  if (engines.empty() || std::ranges::any_of(engines, [&](const std::string& engine) {
        return !plan.settings_of(engine).repeats.empty();
      })) {
    return;
  }
  const bool container = std::ranges::find(engines, "container") != engines.end();
  const std::string repeated = container ? "container" : engines.front();
  auto settings = plan.settings_of(repeated);
  settings.repeats = repeated;
  plan.settings[repeated + "-again"] = settings;
  plan.engines.push_back(repeated + "-again");
}

void check(const Plan& plan) {
  if (plan.engines.empty()) refuse("there is no engine to compare");
  for (const auto& engine : plan.engines) check_engine(plan, engine);
  check_workloads(plan);
  check_density(plan.density);
  check_load(plan.load);
  base::parse_size(plan.memory, "memory");
  if (plan.cpus < 1) refuse("an engine needs at least one CPU");
  if (plan.blocks < 1) refuse("a comparison needs at least one run of each engine");
  if (plan.warm_ups < 0) refuse("the number of warm-ups is negative");
  if (plan.image_imports < 0) refuse("the number of imports of the image is negative");
}

}  // namespace twinbox::compare
