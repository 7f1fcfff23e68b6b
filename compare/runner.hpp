// Carries a plan out on this host and collects the samples.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "compare/box.hpp"
#include "compare/exit_trace.hpp"
#include "compare/journal.hpp"
#include "compare/load.hpp"
#include "compare/plan.hpp"
#include "compare/progress.hpp"
#include "compare/result.hpp"

namespace twinbox::compare {

class Runner {
 public:
  // `program` is the twinbox command that is measured; short-lived files go below `scratch`. What
  // the journal holds already is not measured again.
  Runner(Plan plan, std::filesystem::path program, std::filesystem::path scratch, Journal& journal,
         Progress& progress);

  // Measures everything that can be measured; an engine that cannot is left out from there on and
  // listed with its reason.
  Result run();

 private:
  void check_images();
  void prepare_engines();
  void prepare(Engine& engine);
  std::set<std::string> images_for(const std::string& engine);
  void describe_workloads();
  void plan_work();
  // Kinds of work that the remaining time is estimated by.
  static std::string under_load(const std::string& engine) { return engine + " under load"; }
  static std::string importing(const std::string& engine) { return engine + " image import"; }
  static std::string growth_of(const std::string& engine, const std::string& state) {
    return engine + " growing, " + state;
  }

  // Blocks of one workload: start-up, or one of the plan's further ones.
  void measure(const Workload& workload, const std::vector<Step>& steps);
  void warm_up_again(const Workload& workload, const std::vector<Step>& steps);
  // Before anything is started that counts.
  void settle() const;
  // What `measure` gives; nothing when it fails, and the engine is left out. What keeps the samples
  // is no part of it: a journal that fails says nothing of the engine.
  std::optional<Result> attempt(const std::string& engine, const std::string& stage,
                                const std::function<Result()>& measure);
  // What a command that did not do its work ended with.
  static base::Error failure_of(const Box& ended);
  // Starts one and takes its samples.
  Result measure(const Workload& workload, const Step& step);
  bool is_measured(const Workload& workload, const Step& step) const;
  // Whether `next` and all after it can be left out; by what is finished before its block alone, so
  // that an interruption within one changes nothing.
  bool has_enough(const Workload& workload, const Step& next, int blocks_done) const;

  // Whether the interval of the median is as narrow as the plan wants it.
  bool is_narrow(const std::vector<double>& values) const;

  void measure_load();
  using LoadPoint = std::pair<std::string, double>;  // a metric, and the parameter's value
  // Those that every engine has measured so often before `round` that its interval is narrow.
  std::set<LoadPoint> points_with_enough(int round) const;
  // These are true when they have measured, and false when it was done before or cannot be.
  bool measure_launch_rate(const std::string& engine, int parallel, int round);
  bool measure_beside(const std::string& engine, int others, int round);
  bool measure_under_load(Measurement wanted, const std::function<std::vector<double>()>& values);
  bool is_measured(const Measurement& wanted) const;

  void measure_density();
  bool grow(const std::string& engine, const std::string& state, int repeat);
  void measure_exits();
  TracedRun trace_start(const std::string& engine);

  void measure_images();
  // Of the engines that have a store.
  std::vector<Step> import_steps() const;
  void describe_images(const std::vector<Step>& steps);
  void warm_up_imports_again(const std::vector<Step>& steps);
  // Whether it is to be measured still.
  bool is_due(const Step& step) const;
  // False when it was done before or cannot be.
  bool measure_import(const Step& step);
  Measurement import_of(const Step& step) const;
  Result import_image(const Step& step);

  // What an engine runs the workload in: its own image, the workload's or the plan's.
  std::string image_of(const std::string& engine, const Workload& workload) const;
  LaunchRequest request_for(const std::string& engine, const Workload& workload);
  std::vector<LaunchRequest> requests_for(const std::string& engine, const Workload& workload,
                                          int count);
  Start starter(const std::string& engine);
  void leave_out(const std::string& engine, const std::string& stage, const std::string& why);
  bool is_left_out(const std::string& engine, const std::string& stage) const;

  Plan plan_;
  AdapterContext context_;
  Journal& journal_;
  Progress& progress_;
  std::map<std::string, std::unique_ptr<Adapter>> adapters_;
  Result result_;
  int launched_ = 0;
};

}  // namespace twinbox::compare
