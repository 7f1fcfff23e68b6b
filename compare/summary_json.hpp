// The computed figures as the part "computed" of report.json; the HTML report draws from it.
#pragma once

#include "base/json.hpp"
#include "compare/audit.hpp"
#include "compare/summary.hpp"

namespace twinbox::compare {

base::Json write_computed(const Summary& summary, const std::vector<AuditRow>& audit);

}  // namespace twinbox::compare
