// Whether what has one name in two reports is one thing.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "compare/result.hpp"
#include "compare/series.hpp"

namespace twinbox::compare {

template <typename T>
const T* by_name(const std::vector<T>& items, const std::string& name) {
  const auto found =
      std::find_if(items.begin(), items.end(), [&](const T& item) { return item.name == name; });
  return found == items.end() ? nullptr : &*found;
}

// Why a series of the first report is not the same thing in the second; empty when it is.
std::string mismatch(const Result& before, const Result& after, const Series& series);
// The same of an engine's growths.
std::string growth_mismatch(const Result& before, const Result& after, const std::string& engine);

}  // namespace twinbox::compare
