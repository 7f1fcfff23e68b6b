// Cuts a command line into flags and words by docker's rules, which Boost's own parser does not
// know: combined letters, and values of any look.
#pragma once

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
  std::string name;  // the long one
  bool takes_value = false;
};
// Of "--name" by "name", of "-n" by "-n"; nullopt when there is none.
using FindFlag = std::function<std::optional<FlagKind>(const std::string& name)>;

struct ScannedFlag {
  std::string name;
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
