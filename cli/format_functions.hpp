// The functions that templates can call, and how they print values: as Go does.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"

namespace twinbox::cli::format {

// Text as it is, numbers, "true", "[a b]", "map[k:v]", "<no value>" for null.
std::string to_text(const base::Json& value);
// False, 0, "", null and what has no elements are not.
bool is_true(const base::Json& value);
// json, upper, lower, title, join, split, truncate, index, len, print, println, printf with %s %v
// %d %q, eq, ne, lt, le, gt, ge, and, or, not. Throws base::Error (usage).
base::Json call(std::string_view function, const std::vector<base::Json>& arguments);

}  // namespace twinbox::cli::format
