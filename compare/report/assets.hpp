// Files built into the program: the page's template, its style, and its script with the chart
// library, bundled.
#pragma once

#include <string_view>

namespace twinbox::compare {

std::string_view page_template();
std::string_view page_style();
std::string_view page_script();

}  // namespace twinbox::compare
