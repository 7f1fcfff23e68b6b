#include "cli/table.hpp"

#include <algorithm>
#include <vector>

#include "base/text.hpp"

namespace twinbox::cli {
namespace {

constexpr std::size_t padding = 3;
constexpr std::size_t least_width = 10;

using Cells = std::vector<std::string>;

Cells cells_of(const std::string& line) {
  auto cells = base::split(line, '\t');
  if (line.ends_with('\t')) cells.emplace_back();
  return cells;
}

}  // namespace

std::size_t display_width(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

std::string align(std::string_view lines) {
  std::vector<Cells> rows;
  std::vector<std::size_t> widths;
  for (const auto& line : base::split(lines, '\n')) {
    const auto& cells = rows.emplace_back(cells_of(line));
    for (std::size_t i = 0; i + 1 < cells.size(); ++i) {
      if (i == widths.size()) widths.push_back(least_width);
      widths[i] = std::max(widths[i], display_width(cells[i]) + padding);
    }
  }
  std::string text;
  for (const auto& cells : rows) {
    for (std::size_t i = 0; i < cells.size(); ++i) {
      text += cells[i];
      if (i + 1 < cells.size()) text.append(widths[i] - display_width(cells[i]), ' ');
    }
    text += '\n';
  }
  return text;
}

}  // namespace twinbox::cli
