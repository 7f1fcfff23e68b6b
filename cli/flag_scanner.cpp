#include "cli/flag_scanner.hpp"

#include <utility>

#include "base/error.hpp"

namespace twinbox::cli {
namespace {

base::Error usage(std::string message) { return {base::ErrorKind::usage, std::move(message)}; }

class Scan {
 public:
  Scan(const std::vector<std::string>& arguments, FlagPlace place, const FindFlag& find)
      : arguments_(arguments), place_(place), find_(find) {}

  ScannedArguments run() {
    while (at_ < arguments_.size()) {
      const auto& argument = arguments_[at_];
      const bool is_flag = argument.size() > 1 && argument.front() == '-';
      if (!is_flag && place_ == FlagPlace::before_words) break;
      ++at_;
      if (argument == "--") break;
      if (!is_flag) {
        result_.words.push_back(argument);
      } else if (argument.starts_with("--")) {
        take_long(argument);
      } else {
        take_letters(argument);
      }
    }
    result_.words.insert(result_.words.end(), arguments_.begin() + static_cast<std::ptrdiff_t>(at_),
                         arguments_.end());
    return std::move(result_);
  }

 private:
  void take_long(const std::string& argument) {
    const auto equals = argument.find('=');
    const auto spelling = argument.substr(0, equals);
    // A name that begins with '-' would be taken for a letter.
    const auto kind = spelling.starts_with("---") ? std::nullopt : find_(spelling.substr(2));
    if (!kind) throw usage("unknown flag: " + spelling);
    if (equals != std::string::npos) {
      add(*kind, argument.substr(equals + 1));
    } else if (kind->takes_value) {
      add(*kind, next_argument(spelling));
    } else {
      add(*kind, std::nullopt);
    }
  }

  // "-it", "-eA=1", "-e=A=1", "-ite", "A=1".
  void take_letters(const std::string& argument) {
    for (std::size_t i = 1; i < argument.size(); ++i) {
      const std::string letter{'-', argument[i]};
      const auto kind = find_(letter);
      if (!kind) {
        throw usage(fmt::format("unknown shorthand flag: '{}' in {}", argument[i], argument));
      }
      auto rest = argument.substr(i + 1);
      const bool has_equals = rest.starts_with('=');
      if (!kind->takes_value && !has_equals) {
        add(*kind, std::nullopt);
        continue;
      }
      if (rest.empty()) return add(*kind, next_argument(letter));
      return add(*kind, has_equals ? rest.substr(1) : rest);
    }
  }

  std::string next_argument(const std::string& flag) {
    if (at_ == arguments_.size()) throw usage("flag needs an argument: " + flag);
    return arguments_[at_++];
  }

  void add(const FlagKind& kind, std::optional<std::string> value) {
    result_.flags.push_back({kind.name, std::move(value)});
  }

  const std::vector<std::string>& arguments_;
  FlagPlace place_;
  const FindFlag& find_;
  std::size_t at_ = 0;
  ScannedArguments result_;
};

}  // namespace

ScannedArguments scan_flags(const std::vector<std::string>& arguments, FlagPlace place,
                            const FindFlag& find) {
  return Scan(arguments, place, find).run();
}

}  // namespace twinbox::cli
