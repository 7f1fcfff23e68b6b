// The comparison as a table for a terminal.
#pragma once

#include <string>

#include "compare/result.hpp"

namespace twinbox::compare {

std::string render_terminal(const Result& result);

}  // namespace twinbox::compare
