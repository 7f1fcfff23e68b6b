// The comparison as Markdown, for an issue, a wiki or a paper's appendix.
#pragma once

#include <string>

#include "compare/result.hpp"

namespace twinbox::compare {

std::string render_markdown(const Result& result);

}  // namespace twinbox::compare
