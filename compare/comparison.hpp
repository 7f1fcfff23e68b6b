// A whole comparison: where it is measured, and the reports that come of it.
#pragma once

#include <filesystem>

#include "compare/journal.hpp"
#include "compare/plan.hpp"
#include "compare/progress.hpp"
#include "compare/result.hpp"

namespace twinbox::compare {

// What identifies the samples of a comparison that begins now.
JournalHead begin(const Plan& plan, bool machines_in_lab);

// Measures on this host.
Result measure_here(const Plan& plan, Journal& journal, const ProgressHandler& progress);

// Measures the same on an emulated host with hardware virtualization, where one executed
// instruction takes one nanosecond.
Result measure_in_lab(const Plan& plan, Journal& journal, const ProgressHandler& progress);

// Measures machines and what there is beside them in the lab, and on this host what only that has;
// each row of the report says where it is from.
Result measure(const Plan& plan, bool machines_in_lab, Journal& journal,
               const ProgressHandler& progress);

// The lines in which a comparison tells another one, which watches its standard error, of a part
// that is finished.
std::string told_part(const std::string& line);

struct ReportPaths {
  std::filesystem::path json;
  std::filesystem::path page;
};

// Writes report.json and index.html into `directory`, which is made if need be.
ReportPaths write_reports(const Result& result, const std::filesystem::path& directory);

}  // namespace twinbox::compare
