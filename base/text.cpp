#include "base/text.hpp"

#include <algorithm>

namespace twinbox::base {

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> pieces;
  while (!text.empty()) {
    const auto end = std::min(text.find(separator), text.size());
    pieces.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return pieces;
}

std::vector<std::string> words(std::string_view text) {
  constexpr std::string_view blanks = " \t\n\r\f\v";
  std::vector<std::string> found;
  for (auto start = text.find_first_not_of(blanks); start != std::string_view::npos;
       start = text.find_first_not_of(blanks, start)) {
    const auto end = std::min(text.find_first_of(blanks, start), text.size());
    found.emplace_back(text.substr(start, end - start));
    start = end;
  }
  return found;
}

}  // namespace twinbox::base
