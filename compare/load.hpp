// Starts under load: several at the same time, and beside instances that run already.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "compare/box.hpp"
#include "compare/plan.hpp"
#include "compare/result.hpp"

namespace twinbox::compare {

inline constexpr const char* launch_rate_metric = "launch rate";
inline constexpr const char* beside_metric = "start-up beside others";

// Both metrics as a report describes them.
std::vector<Metric> load_metrics();

// Makes the adapter's launch; called from several threads at once.
using Start = std::function<Box(LaunchRequest request)>;

// Launches per second with `parallel` of them under way at any time, from the first request until
// the last is gone. Throws base::Error when one fails.
double launch_rate(const Start& start, std::vector<LaunchRequest> requests, int parallel,
                   std::chrono::seconds timeout);

// Times from request to ready, in nanoseconds, of `requests` one after another, beside `others`,
// which are started before.
std::vector<double> starts_beside(const Start& start, std::vector<LaunchRequest> others,
                                  std::vector<LaunchRequest> requests,
                                  std::chrono::seconds timeout);

}  // namespace twinbox::compare
