// The fairness audit: whether the engines were measured under the same conditions.
#pragma once

#include <vector>

#include "compare/result.hpp"
#include "compare/summary.hpp"

namespace twinbox::compare {

std::vector<AuditRow> audit(const Result& result, const Summary& summary);

}  // namespace twinbox::compare
