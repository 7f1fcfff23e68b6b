// A whole comparison: where it is measured, and the reports that come of it.
#pragma once

#include <filesystem>
#include <functional>
#include <string_view>

#include "compare/plan.hpp"
#include "compare/result.hpp"

namespace twinbox::compare {

using Progress = std::function<void(std::string_view line)>;

// Measures on this host.
Result measure_here(const Plan& plan, const Progress& progress);

// Measures the same on an emulated host with hardware virtualization, where one executed
// instruction takes one nanosecond.
Result measure_in_lab(const Plan& plan, const Progress& progress);

struct ReportPaths {
  std::filesystem::path json;
  std::filesystem::path page;
};

// Writes report.json and index.html into `directory`, which is made if need be.
ReportPaths write_reports(const Result& result, const std::filesystem::path& directory);

}  // namespace twinbox::compare
