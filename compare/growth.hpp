// Density: instances of one engine added one by one until something ends it.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "compare/boxes.hpp"
#include "compare/plan.hpp"
#include "compare/result.hpp"

namespace twinbox::compare {

// The plan's idle workload, made to hold or to use what the state asks for.
Workload workload_in_state(const Plan& plan, const std::string& engine, const std::string& state);

// What a host could not give, by what a failed start says of it: "out of memory", "fork",
// "descriptors"; else "instance failed".
std::string constraint_named_in(const std::string& message);

class Grower {
 public:
  using Start = std::function<Box()>;
  using Say = std::function<void(int running, int limit)>;

  Grower(const Plan& plan, std::string engine, std::string state, Start start, Say say);

  // One series, and the memory of the instances alone and together. Throws base::Error when not
  // even the first gets ready.
  Result grow();

 private:
  // Starts one more; false when the growth is at its end, with the reason in the series.
  bool grow_by_one();
  // Starts one; what hindered it, if anything did.
  struct Hindrance {
    std::string constraint;
    std::string detail;
  };
  std::optional<Hindrance> start_one();
  bool is_within_budget();
  bool is_within_limits();
  void wait_until_steady() const;
  bool end_with(std::string constraint, std::string detail);
  // False when it is the end, as one of the instances has died.
  bool add_point();
  bool all_run();
  void measure_instances();

  const Plan& plan_;
  std::string engine_;
  Start start_;
  Say say_;
  DensitySeries series_;
  Boxes running_;
  std::vector<double> ready_ms_;
  Result part_;
};

}  // namespace twinbox::compare
