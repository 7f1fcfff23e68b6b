#include "compare/runner.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/error.hpp"
#include "compare/engines/leftovers.hpp"
#include "compare/environment.hpp"
#include "compare/growth.hpp"
#include "compare/interruption.hpp"
#include "compare/orphans.hpp"
#include "compare/page_cache.hpp"
#include "compare/statistics.hpp"
#include "compare/workloads.hpp"

namespace twinbox::compare {
namespace {

using sandbox::Mark;
using Clock = std::chrono::steady_clock;

constexpr const char* preparation = "preparation";

bool same_run(const StartSample& sample, const Workload& workload, const Step& step) {
  return sample.engine == step.engine && sample.workload == workload.name &&
         sample.block == step.block;
}

Measurement figure_of(const Workload& workload, const Step& step, const std::string& output) {
  const auto value = figure_in(workload, output);
  if (!value) {
    throw base::Error(base::ErrorKind::system,
                      fmt::format("there is no '{}' in its output", workload.figure));
  }
  return {workload.name, step.engine, workload.name, step.block, step.position,
          step.warm_up,  {},          *value};
}

int warm_ups_in(const std::vector<Step>& steps) {
  return static_cast<int>(std::ranges::count_if(
      steps, [](const Step& step) { return step.warm_up && step.position == 0; }));
}

}  // namespace

base::Error Runner::failure_of(const Box& ended) {
  const auto& instance = ended.instance();
  return {base::ErrorKind::system,
          fmt::format("status {}: {}", instance.end().status, reason_in(instance.errors()))};
}

Runner::Runner(Plan plan, std::filesystem::path program, std::filesystem::path scratch,
               Journal& journal, Progress& progress)
    : plan_(std::move(plan)),
      context_{std::move(program), std::move(scratch)},
      journal_(journal),
      progress_(progress) {}

Result Runner::run() {
  check(plan_);
  adopt_orphans();
  result_ = {};
  result_.version = TWINBOX_VERSION;
  result_.measured_at = time_of_day();
  result_.plan = plan_;
  result_.image_digest = image_digest(plan_.image);
  // Before the measurement, so that the load is the load it began under.
  result_.hosts = {{"this host", HostKind::native, collect_facts("/")}};
  const auto begin = processor_times("/");
  check_images();
  if (plan_.page_cache == PageCache::cold) drop_page_cache();  // or nothing is measured
  describe_workloads();
  prepare_engines();
  plan_work();
  measure(plan_.start, schedule(plan_));
  for (const auto& workload : plan_.workloads) measure(workload, schedule(plan_, workload));
  measure_load();
  measure_density();
  measure_exits();
  measure_images();
  add_samples(result_, samples_of(journal_.finished(), plan_.engines));
  result_.hosts.front().facts.push_back(
      {stolen_meanwhile, stolen_share(begin, processor_times("/"))});
  return std::move(result_);
}

// Before anything is measured: an image that is missing is nobody's failure but the plan's.
void Runner::check_images() {
  for (const auto& name : plan_.engines) {
    for (const auto& image : images_for(name)) {
      if (!image_digest(image).empty()) continue;
      throw base::Error(base::ErrorKind::not_found,
                        fmt::format("there is no image '{}' to measure {} with", image, name),
                        image.starts_with("twinbox-")
                            ? fmt::format("run scripts/make-workload-image {}", image)
                            : "import it: twinbox image import NAME DIRECTORY|TAR");
    }
  }
}

void Runner::prepare_engines() {
  for (const auto& name : plan_.engines) {
    auto adapter = make_adapter(plan_, name, context_);
    auto engine = adapter->describe();
    engine.host = result_.hosts.front().name;
    engine.repeats = plan_.settings_of(name).repeats;
    if (const auto why = adapter->why_no_import(); !why.empty()) {
      engine.settings.push_back({"image import", "not measured: " + why});
    }
    adapters_[name] = std::move(adapter);
    result_.engines.push_back(std::move(engine));
    // Of an interrupted run it stands in the journal.
    if (!is_left_out(name, preparation)) prepare(result_.engines.back());
  }
}

void Runner::prepare(Engine& engine) {
  try {
    auto& adapter = *adapters_.at(engine.name);
    for (const auto& image : images_for(engine.name)) adapter.prepare(image);
    engine.command = adapter.launch(request_for(engine.name, plan_.start)).command;
  } catch (const base::Error& error) {
    leave_out(engine.name, preparation, error.message());
  }
}

std::set<std::string> Runner::images_for(const std::string& engine) {
  std::set<std::string> images{image_of(engine, plan_.start)};
  for (const auto& workload : plan_.workloads) images.insert(image_of(engine, workload));
  return images;
}

void Runner::describe_workloads() {
  const auto add = [&](const Workload& workload) {
    const auto& image = workload.image.empty() ? plan_.image : workload.image;
    result_.workloads.push_back(
        {workload.name, workload.name, image, image_digest(image), workload.args,
         workload.figure.empty() ? "output line 'ready', or the end" : "its end"});
  };
  add(plan_.start);
  for (const auto& workload : plan_.workloads) {
    add(workload);
    if (workload.figure.empty()) continue;
    result_.metrics.push_back(
        {workload.name, workload.name, workload.unit, workload.better,
         fmt::format("What the workload's own output says, found by '{}'; its clock is that of the "
                     "box it runs in.",
                     workload.figure),
         ""});
  }
}

void Runner::plan_work() {
  const auto add = [&](const std::vector<Step>& steps) {
    for (const auto& step : steps) progress_.estimate().plan(step.engine, 1);
  };
  add(schedule(plan_));
  for (const auto& workload : plan_.workloads) add(schedule(plan_, workload));
  auto& estimate = progress_.estimate();
  for (const auto& step : import_steps()) estimate.plan(importing(step.engine), 1);
  for (const auto& engine : load_order(plan_, 0)) {
    const auto points = plan_.load.parallel.size() + others_beside(plan_, engine).size();
    estimate.plan(under_load(engine), plan_.load.rounds * static_cast<int>(points));
    for (const auto& state : plan_.density.states) {
      estimate.plan(growth_of(engine, state), plan_.density.repeats);
    }
  }
}

void Runner::measure(const Workload& workload, const std::vector<Step>& steps) {
  warm_up_again(workload, steps);
  for (const auto& step : steps) {
    if (step.position == 0 && !step.warm_up &&
        has_enough(workload, step, step.block - warm_ups_in(steps))) {
      for (const auto& rest : steps) {
        if (rest.block >= step.block) progress_.estimate().drop(rest.engine, 1);
      }
      break;
    }
    if (is_left_out(step.engine, workload.name) || is_measured(workload, step)) {
      progress_.estimate().drop(step.engine, 1);
      continue;
    }
    progress_.say(fmt::format("{}: block {} of at most {}{}, {}", workload.name, step.block + 1,
                              steps.back().block + 1, step.warm_up ? " (warm-up)" : "",
                              step.engine));
    const auto begin = Clock::now();
    const auto part = attempt(step.engine, workload.name, [&] { return measure(workload, step); });
    if (!part) {
      progress_.estimate().drop(step.engine, 1);
      continue;
    }
    progress_.estimate().finish(step.engine, Clock::now() - begin);
    journal_.append(*part);
  }
}

std::optional<Result> Runner::attempt(const std::string& engine, const std::string& stage,
                                      const std::function<Result()>& measure) {
  try {
    return measure();
  } catch (const base::Error& error) {
    leave_out(engine, stage, error.message());
    return std::nullopt;
  }
}

// What the interruption left cold: once around, and not counted.
void Runner::warm_up_again(const Workload& workload, const std::vector<Step>& steps) {
  const auto rest = std::ranges::find_if(steps, [&](const Step& step) {
    return !is_left_out(step.engine, workload.name) && !is_measured(workload, step);
  });
  if (rest == steps.end() || rest == steps.begin() || rest->warm_up) return;
  for (const auto& step : steps) {
    if (step.block != 0 || is_left_out(step.engine, workload.name)) continue;
    progress_.say(
        fmt::format("{}: warm-up after the interruption, {}", workload.name, step.engine));
    attempt(step.engine, workload.name, [&] { return measure(workload, step); });
  }
}

void Runner::settle() const {
  if (plan_.page_cache == PageCache::cold) drop_page_cache();
  wait_for_quiet();
  // Each ended process that nobody has waited for slows down those who look through /proc.
  reap_orphans();
}

Result Runner::measure(const Workload& workload, const Step& step) {
  settle();
  auto& adapter = *adapters_.at(step.engine);
  auto request = request_for(step.engine, workload);
  request.count_cpu = adapter.counts_cpu_time();
  Box box(adapter, std::move(request));
  const std::chrono::seconds timeout(plan_.timeout_s);
  const bool ready = box.instance().wait_ready(timeout);
  const auto end = box.instance().finish(timeout);
  const bool start_up = workload.name == plan_.start.name;
  if ((start_up && !ready) || end.status != 0) throw failure_of(box);
  Result part;
  if (!workload.figure.empty()) {
    part.measurements.push_back(figure_of(workload, step, box.instance().output()));
  }
  StartSample sample{step.engine,
                     workload.name,
                     step.block,
                     step.position,
                     step.warm_up,
                     box.marks(),
                     box.cpu_at_marks(),
                     0,
                     0};
  if (adapter.counts_cpu_time()) {
    // What undoes the box after its command has a moment to end.
    wait_for_quiet();
    const auto left_behind = reap_orphans();
    sample.user_ns = end.user_ns + left_behind.user_ns;
    sample.system_ns = end.system_ns + left_behind.system_ns;
  }
  part.starts.push_back(std::move(sample));
  return part;
}

bool Runner::is_measured(const Workload& workload, const Step& step) const {
  return std::ranges::any_of(journal_.finished().starts, [&](const StartSample& sample) {
    return same_run(sample, workload, step);
  });
}

bool Runner::has_enough(const Workload& workload, const Step& next, int blocks_done) const {
  const bool start_up = workload.name == plan_.start.name;
  if (!start_up || plan_.enough <= 0 || plan_.least_blocks == 0) return false;
  if (blocks_done < plan_.least_blocks) return false;
  std::map<std::string, std::vector<double>> times;
  std::set<std::string> still_there;  // one that is left out adds nothing to its sample
  for (const auto& sample : journal_.finished().starts) {
    if (sample.warm_up || sample.workload != workload.name || sample.block >= next.block) continue;
    times[sample.engine].push_back(static_cast<double>(sample.marks.at(Mark::ready)));
    if (sample.block == next.block - 1) still_there.insert(sample.engine);
  }
  return std::ranges::all_of(
      still_there, [&](const std::string& engine) { return is_narrow(times.at(engine)); });
}

bool Runner::is_narrow(const std::vector<double>& values) const {
  const auto interval = median_interval(values, plan_.seed);
  return interval.high - interval.low <= plan_.enough * median(values);
}

void Runner::measure_density() {
  for (const auto& state : plan_.density.states) {
    for (int repeat = 0; repeat < plan_.density.repeats; ++repeat) {
      for (const auto& engine : density_order(plan_, state, repeat)) {
        progress_.estimate().carry_out(growth_of(engine, state),
                                       [&] { return grow(engine, state, repeat); });
      }
    }
  }
}

bool Runner::grow(const std::string& engine, const std::string& state, int repeat) {
  const auto stage = state == "idle" ? std::string("density") : "density, " + state;
  if (is_left_out(engine, stage) || plan_.most_instances(engine) < 1) return false;
  const auto& finished = journal_.finished().density;
  if (std::ranges::any_of(finished, [&](const DensitySeries& series) {
        return series.engine == engine && series.state == state && series.repeat == repeat;
      })) {
    return false;
  }
  const auto workload = workload_in_state(plan_, engine, state);
  const Grower::Start start = [&] {
    auto request = request_for(engine, workload);
    request.held_open = true;
    return Box(*adapters_.at(engine), std::move(request));
  };
  auto part = attempt(engine, stage, [&] {
    settle();
    return Grower(plan_, engine, state, start,
                  [&](int running, int limit) {
                    progress_.say(
                        fmt::format("{}: {} {} of at most {}", stage, engine, running, limit));
                  })
        .grow();
  });
  if (!part) return false;
  part->density.front().repeat = repeat;
  journal_.append(*part);
  return true;
}

std::string Runner::image_of(const std::string& engine, const Workload& workload) const {
  for (const auto& image : {plan_.settings_of(engine).image, workload.image}) {
    if (!image.empty()) return image;
  }
  return plan_.image;
}

LaunchRequest Runner::request_for(const std::string& engine, const Workload& workload) {
  const auto settings = plan_.settings_of(engine);
  LaunchRequest request;
  request.id = fmt::format("{}-{}", comparison_name(context_.scratch), ++launched_);
  request.args = workload.args;
  request.image = image_of(engine, workload);
  request.memory = !settings.memory.empty()   ? settings.memory
                   : !workload.memory.empty() ? workload.memory
                                              : plan_.memory;
  return request;
}

void Runner::leave_out(const std::string& engine, const std::string& stage,
                       const std::string& why) {
  // What ends with the comparison has not failed.
  stop_if_interrupted();
  progress_.say(fmt::format("{}: {} is left out: {}", stage, engine, why));
  Result part;
  part.failures.push_back({engine, stage, why});
  journal_.append(part);
}

bool Runner::is_left_out(const std::string& engine, const std::string& stage) const {
  return std::ranges::any_of(journal_.finished().failures, [&](const Failure& failure) {
    const bool everywhere = failure.stage == preparation || failure.stage == plan_.start.name;
    return failure.engine == engine && (everywhere || failure.stage == stage);
  });
}

}  // namespace twinbox::compare
