// Reports of comparisons as command-line words name them.
#pragma once

#include <string>

#include "compare/result.hpp"

namespace twinbox::cli {

// The report in the file `name`, or in the directory of that name. Throws base::Error.
compare::Result read_report(const std::string& name);

}  // namespace twinbox::cli
