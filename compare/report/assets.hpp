// Files built into the program: the page's template and the chart library.
#pragma once

#include <string_view>

namespace twinbox::compare {

std::string_view page_template();
std::string_view page_script();
std::string_view page_style();
std::string_view chart_library();

}  // namespace twinbox::compare
