// Cuts a command line into flags and words by docker's rules: combined letters, and values of any
// look.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace twinbox::cli {

enum class FlagPlace {
  before_words,  // the first word ends the flags: what follows is another program's
  anywhere,
};

struct FlagKind {
  std::size_t index = 0;  // the finder's own number of it
  bool takes_value = false;
};
// Of "--name" by "name", of "-n" by "-n"; nullopt when there is none.
using FindFlag = std::function<std::optional<FlagKind>(std::string_view name)>;

struct ScannedFlag {
  std::size_t index = 0;
  std::optional<std::string> value;
};

struct ScannedArguments {
  std::vector<ScannedFlag> flags;
  std::vector<std::string> words;
};

// Throws base::Error (usage), without a hint, for an unknown flag and for one that lacks its value.
ScannedArguments scan_flags(const std::vector<std::string>& arguments, FlagPlace place,
                            const FindFlag& find);

}  // namespace twinbox::cli
