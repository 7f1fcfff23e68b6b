// Every sample of a comparison as one long table.
#pragma once

#include <string>

#include "compare/result.hpp"

namespace twinbox::compare {

// RFC 4180 with a header: host, engine, workload, metric, at, unit, better, block, value. Warm-ups
// are left out.
std::string render_csv(const Result& result);

}  // namespace twinbox::compare
