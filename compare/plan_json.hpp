// A plan as JSON, in reports.
#pragma once

#include "base/json.hpp"
#include "compare/plan.hpp"

namespace twinbox::compare {

base::Json write_plan(const Plan& plan);
// Throws base::Error naming the field that is wrong.
Plan read_plan(const base::JsonView& view);

}  // namespace twinbox::compare
