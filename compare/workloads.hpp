// The workloads that a plan can name, each in an image that scripts/make-workload-image makes.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compare/plan.hpp"

namespace twinbox::compare {

std::optional<Workload> find_workload(std::string_view name);
std::vector<std::string> workload_names();

// Throws base::Error (usage), which names `where`, unless `figure` is a regular expression with a
// group.
void check_figure(std::string_view where, const std::string& figure);

// The number that a workload's figure finds in its output; nothing when it finds none.
std::optional<double> figure_in(const Workload& workload, const std::string& output);

}  // namespace twinbox::compare
