#include "cli/options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/program_options.hpp>
#include <cstdio>
#include <string_view>
#include <utility>
#include <variant>

#include "base/error.hpp"

namespace twinbox::cli {

namespace po = boost::program_options;

namespace {

// What a flag's value goes to.
using Target =
    std::variant<bool*, std::string*, std::optional<std::string>*, std::vector<std::string>*>;

struct Flag {
  std::string_view name;  // empty: a group's title, which is in `help`
  std::string_view letter;
  std::string_view placeholder;
  std::string_view help;
  Target target;

  bool takes_value() const { return !std::holds_alternative<bool*>(target); }
  // "-m, --memory SIZE".
  std::string spelling() const {
    return fmt::format("{} --{}{}{}", letter.empty() ? "   " : fmt::format("-{},", letter), name,
                       placeholder.empty() ? "" : " ", placeholder);
  }
};

const po::value_semantic* semantic_for(bool* target) {
  return po::value<bool>(target)->zero_tokens()->implicit_value(true);
}

const po::value_semantic* semantic_for(std::string* target) { return po::value(target); }

const po::value_semantic* semantic_for(std::optional<std::string>* target) {
  return po::value<std::string>()->notifier([target](const std::string& text) { *target = text; });
}

const po::value_semantic* semantic_for(std::vector<std::string>* target) {
  return po::value(target)->composing();
}

}  // namespace

struct Options::Description {
  std::vector<Flag> flags;

  void add(std::string_view name, std::string_view placeholder, std::string_view help,
           Target target) {
    const auto comma = std::min(name.find(','), name.size());
    const auto letter = name.substr(std::min(comma + 1, name.size()));
    // --help, the first, leaves its letter to a verb that has another use for it, as docker's does.
    if (!letter.empty() && !flags.empty() && flags.front().letter == letter) {
      flags.front().letter = {};
    }
    flags.push_back({name.substr(0, comma), letter, placeholder, help, target});
  }

  // "name" is a long one, "-n" a letter.
  const Flag* find(std::string_view name) const {
    const auto found = std::ranges::find_if(flags, [&](const Flag& flag) {
      if (flag.name.empty()) return false;
      const bool is_letter = name.size() == 2 && name.front() == '-';
      return is_letter ? flag.letter == name.substr(1) : flag.name == name;
    });
    return found == flags.end() ? nullptr : &*found;
  }
};

Options::Options(std::string usage, std::string purpose)
    : usage_(std::move(usage)),
      purpose_(std::move(purpose)),
      description_(std::make_unique<Description>()) {
  flag("help,h", "show this help", help_shown_);
}

Options::~Options() = default;

void Options::group(const char* title) { description_->flags.push_back({{}, {}, {}, title, {}}); }

void Options::flag(const char* name, const char* help, bool& target) {
  description_->add(name, {}, help, &target);
}

void Options::value(const char* name, const char* placeholder, const char* help,
                    std::string& target) {
  description_->add(name, placeholder, help, &target);
}

void Options::value(const char* name, const char* placeholder, const char* help,
                    std::optional<std::string>& target) {
  description_->add(name, placeholder, help, &target);
}

void Options::values(const char* name, const char* placeholder, const char* help,
                     std::vector<std::string>& target) {
  description_->add(name, placeholder, help, &target);
}

// To declare a flag takes Boost some 5,000 instructions, and `run` has eighty flags: it is told of
// those that were given.
void Options::store(const std::vector<ScannedFlag>& flags) {
  po::options_description declared;
  po::parsed_options parsed(&declared, po::command_line_style::allow_long);
  for (const auto& flag : flags) {
    given_.insert(flag.name);
    if (declared.find_nothrow(flag.name, false) == nullptr) {
      const auto* const semantic = std::visit([](auto* target) { return semantic_for(target); },
                                              description_->find(flag.name)->target);
      declared.add_options()(flag.name.c_str(), semantic);
    }
    parsed.options.emplace_back(flag.name,
                                flag.value ? std::vector{*flag.value} : std::vector<std::string>());
  }
  po::variables_map values;
  po::store(parsed, values);
  po::notify(values);
}

std::vector<std::string> Options::parse(const std::vector<std::string>& arguments,
                                        FlagPlace place) {
  try {
    const auto kind = [this](const std::string& name) -> std::optional<FlagKind> {
      const auto* const flag = description_->find(name);
      if (flag == nullptr) return std::nullopt;
      return FlagKind{std::string(flag->name), flag->takes_value()};
    };
    auto scanned = scan_flags(arguments, place, kind);
    store(scanned.flags);
    if (help_shown_) print_help();
    return std::move(scanned.words);
  } catch (const po::error& error) {
    throw base::Error(base::ErrorKind::usage, error.what(), see_help());
  } catch (const base::Error& error) {
    throw base::Error(base::ErrorKind::usage, error.message(), see_help());
  }
}

void Options::print_help() const {
  std::size_t width = 0;
  for (const auto& flag : description_->flags) {
    if (!flag.name.empty()) width = std::max(width, flag.spelling().size());
  }
  fmt::print("Usage: twinbox {}\n\n{}\n\nFlags:\n", usage_, purpose_);
  for (const auto& flag : description_->flags) {
    if (flag.name.empty()) {
      fmt::print("\n{}:\n", flag.help);
    } else {
      fmt::print("  {:<{}}  {}\n", flag.spelling(), width, flag.help);
    }
  }
}

std::string Options::see_help() const {
  return fmt::format("see: twinbox help {}", usage_.substr(0, usage_.find(' ')));
}

}  // namespace twinbox::cli
