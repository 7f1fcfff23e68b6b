// Two reports, one against the other: what got better, worse, stayed, or cannot be told.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compare/contrast.hpp"
#include "compare/result.hpp"

namespace twinbox::compare {

enum class Change { improved, regressed, same, inconclusive };
std::string_view to_string(Change change);

struct DiffRow {
  std::string metric;
  std::string workload;  // of memory and density the state of the instances
  std::string engine;
  std::string unit;
  std::optional<double> at;
  double before = 0;  // medians; of density slopes
  double after = 0;
  Contrast contrast;  // after against before
  Change change = Change::inconclusive;
};

struct ReportDiff {
  std::vector<DiffRow> rows;
  std::vector<std::string> warnings;   // what is not alike around the figures
  std::vector<std::string> unmatched;  // what is in one report only, or not the same thing in both

  int count(Change change) const;
};

struct DiffOptions {
  double margin = 0.02;  // changes of a share up to this are none
  // Whether reports of hosts of another kind, processor or kernel are set against one another.
  bool across_hosts = false;
};

// Matches series by metric with its definition, workload and the engine's configuration. Holm's
// correction is over all rows, of which engines that repeat another have none. Throws base::Error
// (conflict) when the hosts are not alike and `across_hosts` is not set.
ReportDiff diff(const Result& before, const Result& after, const DiffOptions& options);

}  // namespace twinbox::compare
