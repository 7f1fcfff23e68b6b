// The comparison as one HTML page that needs nothing but itself.
#pragma once

#include <string>

#include "compare/result.hpp"

namespace twinbox::compare {

// The page of report.html with the chart library and the report's data put into it.
std::string render_html(const Result& result);

}  // namespace twinbox::compare
