#include "compare/plan_json.hpp"

#include <algorithm>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "base/file.hpp"
#include "base/size.hpp"
#include "compare/workloads.hpp"

namespace twinbox::compare {
namespace {

using base::Json;
using base::JsonView;
using Words = std::vector<std::string>;

// A field that nobody reads is a mistake of whoever wrote it.
void allow_only(const JsonView& view, std::initializer_list<std::string_view> known) {
  for (const auto& [name, member] : view.members()) {
    if (std::ranges::find(known, name) != known.end()) continue;
    throw base::Error(base::ErrorKind::usage,
                      fmt::format("{}: there is no such field", member.path()),
                      fmt::format("fields here: {}", fmt::join(known, ", ")));
  }
}

int positive(const JsonView& view) {
  const int value = view.as<int>();
  if (value < 1) view.fail("a number from 1 on");
  return value;
}

template <typename T>
void take(const JsonView& view, std::string_view key, T& target) {
  if (const auto member = view.find(key)) target = member->as<T>();
}

// Checked here, where its place is known.
void take_memory(const JsonView& view, std::string& target) {
  const auto member = view.find("memory");
  if (!member) return;
  target = member->as<std::string>();
  if (!target.empty()) base::parse_size(target, member->path());
}

Json write(const Workload& workload) {
  Json json{{"name", workload.name}, {"command", workload.args}};
  if (!workload.image.empty()) json["image"] = workload.image;
  if (!workload.memory.empty()) json["memory"] = workload.memory;
  if (!workload.figure.empty()) {
    json["figure"] = workload.figure;
    json["unit"] = workload.unit;
    json["better"] = workload.better == Better::lower ? "lower" : "higher";
  }
  return json;
}

Better read_better(const JsonView& view) {
  const auto text = view.as<std::string>();
  if (text != "lower" && text != "higher") view.fail("\"lower\" or \"higher\"");
  return text == "lower" ? Better::lower : Better::higher;
}

PageCache read_page_cache(const JsonView& view) {
  const auto text = view.as<std::string>();
  if (text != "warm" && text != "cold") view.fail("\"warm\" or \"cold\"");
  return text == "cold" ? PageCache::cold : PageCache::warm;
}

// A name of the catalogue, or a workload of its own.
Workload read_workload(const JsonView& view) {
  if (view.value().is_string()) {
    const auto name = view.as<std::string>();
    if (const auto known = find_workload(name)) return *known;
    view.fail(
        fmt::format("a workload's description, or one of {}", fmt::join(workload_names(), ", ")));
  }
  allow_only(view, {"name", "command", "image", "memory", "figure", "unit", "better"});
  Workload workload{.name = view.get<std::string>("name"), .args = view.get<Words>("command")};
  take(view, "image", workload.image);
  take_memory(view, workload.memory);
  take(view, "figure", workload.figure);
  if (!workload.figure.empty()) {
    workload.unit = view.get<std::string>("unit");
    workload.better = read_better(view.at("better"));
    check_figure(view.at("figure").path(), workload.figure);
  }
  return workload;
}

Json write(const DensityPlan& density) {
  return {{"instances", density.limits},
          {"states", density.states},
          {"repeats", density.repeats},
          {"ready_ms", density.ready_ms},
          {"stall_percent", density.stall_percent},
          {"discarded_share", density.discarded_share},
          {"settle_ms", density.settle_ms},
          {"memory_share", density.memory_share}};
}

Json write(const LoadPlan& load) {
  return {{"parallel", load.parallel}, {"launches", load.launches},
          {"beside", load.beside},     {"beside_runs", load.beside_runs},
          {"rounds", load.rounds},     {"least_rounds", load.least_rounds}};
}

Json write_engine(const std::string& name, const EngineSettings& settings) {
  Json json{{"name", name}};
  const auto put = [&](const char* key, const auto& value) {
    if (!value.empty()) json[key] = value;
  };
  if (settings.engine != "command") json["engine"] = settings.engine;
  put("command", settings.command);
  put("prepare", settings.prepare);
  put("version", settings.version);
  put("start", settings.start);
  put("kernel", settings.kernel);
  put("image", settings.image);
  put("memory", settings.memory);
  put("repeats", settings.repeats);
  if (settings.cpus != 0) json["cpus"] = settings.cpus;
  return json;
}

EngineSettings read_settings(const JsonView& view) {
  allow_only(view, {"name", "engine", "command", "prepare", "version", "start", "kernel", "image",
                    "memory", "cpus", "repeats"});
  const bool templated = view.has("command");
  EngineSettings settings{.engine = templated ? "command" : view.get<std::string>("engine")};
  if (templated && view.has("engine")) view.fail("either an engine or a command");
  take(view, "command", settings.command);
  take(view, "prepare", settings.prepare);
  take(view, "version", settings.version);
  take(view, "start", settings.start);
  if (!settings.start.empty() && settings.start != "cold" && settings.start != "warm") {
    view.at("start").fail("\"cold\" or \"warm\"");
  }
  take(view, "kernel", settings.kernel);
  take(view, "image", settings.image);
  take_memory(view, settings.memory);
  take(view, "repeats", settings.repeats);
  if (const auto cpus = view.find("cpus")) settings.cpus = positive(*cpus);
  return settings;
}

void read_engines(const JsonView& view, Plan& plan) {
  plan.engines.clear();
  for (const auto& engine : view.elements()) {
    if (engine.value().is_string()) {
      plan.engines.push_back(engine.as<std::string>());
      continue;
    }
    const auto name = engine.get<std::string>("name");
    plan.engines.push_back(name);
    plan.settings[name] = read_settings(engine);
  }
}

void read_runs(const JsonView& view, Plan& plan) {
  if (!view.value().is_object()) {
    plan.blocks = plan.least_blocks = positive(view);
    plan.enough = 0;
    return;
  }
  allow_only(view, {"least", "most", "enough"});
  plan.blocks = positive(view.at("most"));
  plan.least_blocks = view.get_or<int>("least", plan.blocks);
  plan.enough = view.get_or<double>("enough", 0);
}

void read_limits(const JsonView& view, Plan& plan) {
  if (view.value().is_object()) {
    plan.density.limits = view.as<std::map<std::string, int>>();
    return;
  }
  plan.density.limits.clear();
  for (const auto& engine : plan.engines) plan.density.limits[engine] = view.as<int>();
}

void read_density(const JsonView& view, Plan& plan) {
  allow_only(view, {"instances", "states", "repeats", "discarded_share", "settle_ms",
                    "memory_share", "ready_ms", "stall_percent"});
  if (const auto limits = view.find("instances")) read_limits(*limits, plan);
  take(view, "states", plan.density.states);
  take(view, "repeats", plan.density.repeats);
  take(view, "ready_ms", plan.density.ready_ms);
  take(view, "stall_percent", plan.density.stall_percent);
  take(view, "discarded_share", plan.density.discarded_share);
  take(view, "settle_ms", plan.density.settle_ms);
  take(view, "memory_share", plan.density.memory_share);
}

void read_load(const JsonView& view, LoadPlan& load) {
  allow_only(view, {"parallel", "launches", "beside", "beside_runs", "rounds", "least_rounds"});
  take(view, "parallel", load.parallel);
  take(view, "launches", load.launches);
  take(view, "beside", load.beside);
  take(view, "beside_runs", load.beside_runs);
  take(view, "rounds", load.rounds);
  take(view, "least_rounds", load.least_rounds);
}

}  // namespace

Json write_plan(const Plan& plan) {
  Json engines = Json::array();
  for (const auto& name : plan.engines) {
    const auto found = plan.settings.find(name);
    engines.push_back(found == plan.settings.end() ? Json(name)
                                                   : write_engine(name, found->second));
  }
  Json workloads = Json::array();
  for (const auto& workload : plan.workloads) workloads.push_back(write(workload));
  Json json{{"engines", engines},
            {"image", plan.image},
            {"memory", plan.memory},
            {"cpus", plan.cpus},
            {"start_workload", write(plan.start)},
            {"idle_workload", write(plan.idle)},
            {"workloads", workloads},
            {"workload_runs", plan.workload_blocks},
            {"page_cache", plan.page_cache == PageCache::cold ? "cold" : "warm"},
            {"warm_ups", plan.warm_ups},
            {"runs",
             {{"least", plan.least_blocks == 0 ? plan.blocks : plan.least_blocks},
              {"most", plan.blocks},
              {"enough", plan.enough}}},
            {"seed", plan.seed},
            {"timeout_s", plan.timeout_s},
            {"density", write(plan.density)},
            {"load", write(plan.load)},
            {"image_imports", plan.image_imports}};
  if (!plan.kernel.empty()) json["kernel"] = plan.kernel;
  return json;
}

Plan read_plan(const JsonView& view) {
  allow_only(view, {"$schema", "engines", "image", "memory", "cpus", "kernel", "start_workload",
                    "idle_workload", "workloads", "workload_runs", "page_cache", "warm_ups", "runs",
                    "seed", "timeout_s", "density", "load", "image_imports"});
  Plan plan;
  if (const auto engines = view.find("engines")) read_engines(*engines, plan);
  take(view, "image", plan.image);
  take_memory(view, plan.memory);
  if (const auto cpus = view.find("cpus")) plan.cpus = positive(*cpus);
  take(view, "kernel", plan.kernel);
  if (const auto start = view.find("start_workload")) plan.start = read_workload(*start);
  if (const auto idle = view.find("idle_workload")) plan.idle = read_workload(*idle);
  if (const auto workloads = view.find("workloads")) {
    for (const auto& workload : workloads->elements()) {
      plan.workloads.push_back(read_workload(workload));
    }
  }
  if (const auto runs = view.find("workload_runs")) plan.workload_blocks = positive(*runs);
  if (const auto cache = view.find("page_cache")) plan.page_cache = read_page_cache(*cache);
  take(view, "warm_ups", plan.warm_ups);
  if (const auto runs = view.find("runs")) read_runs(*runs, plan);
  take(view, "seed", plan.seed);
  take(view, "timeout_s", plan.timeout_s);
  if (const auto density = view.find("density")) read_density(*density, plan);
  if (const auto load = view.find("load")) read_load(*load, plan.load);
  take(view, "image_imports", plan.image_imports);
  return plan;
}

Plan read_plan_of_version_1(const JsonView& view) {
  const auto workload = [](const JsonView& member) {
    return Workload{.name = member.get<std::string>("name"), .args = member.get<Words>("args")};
  };
  Plan plan;
  plan.engines = view.get<Words>("engines");
  plan.image = view.get<std::string>("image");
  view.at("memory");  // has to be there
  take_memory(view, plan.memory);
  plan.cpus = view.get<int>("cpus");
  plan.start = workload(view.at("start_workload"));
  plan.idle = workload(view.at("idle_workload"));
  plan.warm_ups = view.get<int>("warm_ups");
  plan.blocks = view.get<int>("blocks");
  plan.seed = view.get<std::uint64_t>("seed");
  plan.timeout_s = view.get_or<int>("timeout_s", plan.timeout_s);
  const auto density = view.at("density");
  plan.density.limits = density.get<std::map<std::string, int>>("limits");
  plan.density.discarded_share = density.get<double>("discarded_share");
  plan.density.settle_ms = density.get<int>("settle_ms");
  plan.density.memory_share = density.get<double>("memory_share");
  return plan;
}

Plan load_plan(const std::filesystem::path& file) {
  const auto json = base::parse_json(base::read_file(file), file.string());
  auto plan = read_plan(JsonView(json, file.string()));
  check(plan);
  return plan;
}

}  // namespace twinbox::compare
