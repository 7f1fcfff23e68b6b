// Parts of report.json that more than one file writes or reads.
#pragma once

#include "base/json.hpp"
#include "compare/result.hpp"

namespace twinbox::compare {

base::Json write(const Metric& metric);
base::Json write(const Footprint& footprint);
base::Json write(const AuditRow& row);

// The samples of a result alone. Only kinds of which there are any.
base::Json write_samples(const Result& result);
// Adds to those that `into` has.
void read_samples(const base::JsonView& view, Result& into);

}  // namespace twinbox::compare
