// The keys that leave a box's terminal without ending anything.
#pragma once

#include <string>
#include <string_view>

namespace twinbox::cli {

// "ctrl-p,ctrl-q", "a", "ctrl-@" as the bytes that a terminal sends; an empty text means docker's
// default, ctrl-p,ctrl-q. Throws base::Error (usage) naming the key that is none.
std::string parse_detach_keys(std::string_view text);

// Looks for the keys in what is typed. What begins like them is held back until it is clear.
class DetachFilter {
 public:
  explicit DetachFilter(std::string keys) : keys_(std::move(keys)) {}

  struct Typed {
    std::string text;  // what the box gets
    bool detach = false;
  };
  Typed take(std::string_view typed);

 private:
  std::string keys_;
  std::string held_;  // a beginning of keys_
};

}  // namespace twinbox::cli
