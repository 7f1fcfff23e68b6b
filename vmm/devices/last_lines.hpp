// The last lines of a text stream, for reports on a guest that died.
#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace twinbox::vmm {

class LastLines {
 public:
  static constexpr std::size_t max_lines = 40;
  static constexpr std::size_t max_line = 512;  // the rest of a longer line is dropped

  void put(char character);
  void put(std::string_view text);
  // Oldest first; the unfinished line comes last.
  std::vector<std::string> lines() const;

 private:
  std::deque<std::string> finished_;
  std::string current_;
};

}  // namespace twinbox::vmm
