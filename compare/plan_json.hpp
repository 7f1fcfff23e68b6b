// The plan as a file (docs/plan.schema.json), and as a part of report.json.
#pragma once

#include <filesystem>

#include "base/json.hpp"
#include "compare/plan.hpp"

namespace twinbox::compare {

base::Json write_plan(const Plan& plan);
// What is left out has its default. Throws base::Error (usage) with the path of a field that is
// wrong or unknown. Does not check() the plan.
Plan read_plan(const base::JsonView& view);
// As reports of version 1 have it.
Plan read_plan_of_version_1(const base::JsonView& view);

// Reads and checks a plan's file.
Plan load_plan(const std::filesystem::path& file);

}  // namespace twinbox::compare
