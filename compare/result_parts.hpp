// The samples of a result alone as JSON, as report.json has them.
#pragma once

#include "base/json.hpp"
#include "compare/result.hpp"

namespace twinbox::compare {

// Only kinds of which there are any.
base::Json write_samples(const Result& result);
// Adds to those that `into` has.
void read_samples(const base::JsonView& view, Result& into);

}  // namespace twinbox::compare
