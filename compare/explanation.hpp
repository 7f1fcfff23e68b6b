// Why one kind of box starts later than another, computed from marks and exits.
#pragma once

#include <vector>

#include "compare/summary.hpp"

namespace twinbox::compare {

// For every pair of engines whose start-up differs, from the result and its summary's comparisons.
std::vector<Explanation> explain(const Result& result, const Summary& summary);

}  // namespace twinbox::compare
