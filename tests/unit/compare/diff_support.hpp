// What the tests of two reports set against one another have in common.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "compare/diff.hpp"
#include "tests/unit/compare/sample_result.hpp"

namespace twinbox::compare {

inline const DiffRow* find(const ReportDiff& diff, const std::string& metric,
                           const std::string& engine) {
  for (const auto& row : diff.rows) {
    if (row.metric == metric && row.engine == engine) return &row;
  }
  return nullptr;
}

inline bool mentions(const std::vector<std::string>& texts, const std::string& part) {
  return std::any_of(texts.begin(), texts.end(),
                     [&](const std::string& text) { return text.find(part) != std::string::npos; });
}

// Everything but the growths, whose slopes take their time.
inline Result no_growth() {
  auto result = rich_result();
  result.density.clear();
  return result;
}

}  // namespace twinbox::compare
