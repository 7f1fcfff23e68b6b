// What a comparison comes to, in sentences that carry their figures.
#pragma once

#include <string>
#include <vector>

#include "compare/summary.hpp"

namespace twinbox::compare {

// From the result and the engines and ratios of its summary.
std::vector<std::string> verdicts(const Result& result, const Summary& summary);

}  // namespace twinbox::compare
