#include "vmm/devices/last_lines.hpp"

#include <utility>

namespace twinbox::vmm {

void LastLines::put(char character) {
  if (character == '\n') {
    finished_.push_back(std::exchange(current_, {}));
    if (finished_.size() > max_lines) finished_.pop_front();
  } else if (character != '\r' && current_.size() < max_line) {
    current_.push_back(character);
  }
}

void LastLines::put(std::string_view text) {
  for (const char character : text) put(character);
}

std::vector<std::string> LastLines::lines() const {
  std::vector<std::string> all(finished_.begin(), finished_.end());
  if (!current_.empty()) all.push_back(current_);
  if (all.size() > max_lines) all.erase(all.begin());
  return all;
}

}  // namespace twinbox::vmm
