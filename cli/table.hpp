// Cells in columns that line up.
#pragma once

#include <string>
#include <string_view>

namespace twinbox::cli {

// Lines of cells with tabs between, as docker sets them: three blanks between columns, each at
// least ten wide. Only a cell that another follows makes its column wider.
std::string align(std::string_view lines);

// In characters, not bytes.
std::size_t display_width(std::string_view text);

}  // namespace twinbox::cli
