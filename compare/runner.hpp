// Carries a plan out on this host and collects the samples.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "compare/instance.hpp"
#include "compare/plan.hpp"
#include "compare/result.hpp"

namespace twinbox::compare {

class Runner {
 public:
  using Progress = std::function<void(std::string_view line)>;

  // `program` is the twinbox command that is measured; short-lived files go below `scratch`.
  Runner(Plan plan, std::filesystem::path program, std::filesystem::path scratch,
         Progress progress);

  // Measures everything that can be measured; an engine that cannot is left out from there on and
  // listed with its reason.
  Result run();

 private:
  void describe_engines();
  void measure_starts();
  void measure_start(const Step& step);
  void measure_density();
  DensitySeries grow(const std::string& engine);
  // Starts one more; false when the growth is at its end, with the reason in `series`.
  bool grow_by_one(DensitySeries& series, std::vector<Instance>& running);
  void add_point(DensitySeries& series, const std::vector<Instance>& running);
  void measure_instances(const std::string& engine, const std::vector<Instance>& running);
  void leave_out(const std::string& engine, const std::string& stage, const std::string& why);
  bool is_left_out(const std::string& engine) const;
  std::vector<std::string> command(const std::string& engine, const Workload& workload,
                                   const std::filesystem::path& marks, Instance::Input input) const;

  Plan plan_;
  std::filesystem::path program_;
  std::filesystem::path scratch_;
  Progress progress_;
  Result result_;
};

}  // namespace twinbox::compare
