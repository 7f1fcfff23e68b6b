#include "cli/options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

#include "base/error.hpp"

namespace twinbox::cli {
namespace {

base::Error usage_error(std::string message) {
  return {base::ErrorKind::usage, std::move(message)};
}

bool parse_bool(std::string_view text, std::string_view name) {
  for (const std::string_view yes : {"true", "1", "yes", "on"}) {
    if (text == yes) return true;
  }
  for (const std::string_view no : {"false", "0", "no", "off"}) {
    if (text == no) return false;
  }
  throw usage_error(fmt::format("--{}: '{}' is neither true nor false", name, text));
}

}  // namespace

Options::Options(std::string usage, std::string purpose)
    : usage_(std::move(usage)), purpose_(std::move(purpose)) {
  lines_.reserve(64);
  flag("help,h", "show this help", help_shown_);
}

void Options::group(std::string_view title) { lines_.push_back({.help = title}); }

void Options::add(std::string_view name, std::string_view placeholder, std::string_view help,
                  Target target) {
  const auto comma = name.find(',');
  lines_.push_back({.name = name.substr(0, comma),
                    .letter = comma == std::string_view::npos ? '\0' : name[comma + 1],
                    .placeholder = placeholder,
                    .help = help,
                    .target = target});
}

void Options::flag(std::string_view name, std::string_view help, bool& target) {
  add(name, {}, help, &target);
}

void Options::value(std::string_view name, std::string_view placeholder, std::string_view help,
                    std::string& target) {
  add(name, placeholder, help, &target);
}

void Options::value(std::string_view name, std::string_view placeholder, std::string_view help,
                    std::optional<std::string>& target) {
  add(name, placeholder, help, &target);
}

void Options::values(std::string_view name, std::string_view placeholder, std::string_view help,
                     std::vector<std::string>& target) {
  add(name, placeholder, help, &target);
}

std::optional<FlagKind> Options::find(std::string_view name) const {
  const bool by_letter = name.starts_with('-');
  const auto found = std::ranges::find_if(lines_, [&](const Line& line) {
    return !line.name.empty() && (by_letter ? line.letter == name[1] : line.name == name);
  });
  if (found == lines_.end()) return std::nullopt;
  return FlagKind{.index = static_cast<std::size_t>(found - lines_.begin()),
                  .takes_value = !std::holds_alternative<bool*>(found->target)};
}

void Options::store(ScannedFlag&& flag) {
  const auto& line = lines_[flag.index];
  const bool first = given_.emplace(line.name).second;
  if (const auto* const list = std::get_if<std::vector<std::string>*>(&line.target)) {
    return (*list)->push_back(std::move(*flag.value));
  }
  if (const auto* const on = std::get_if<bool*>(&line.target)) {
    **on = !flag.value || parse_bool(*flag.value, line.name);
    return;
  }
  if (!first) throw usage_error(fmt::format("--{} is given more than once", line.name));
  if (const auto* const text = std::get_if<std::string*>(&line.target)) {
    **text = std::move(*flag.value);
  } else {
    *std::get<std::optional<std::string>*>(line.target) = std::move(*flag.value);
  }
}

std::vector<std::string> Options::parse(const std::vector<std::string>& arguments,
                                        FlagPlace place) {
  try {
    auto scanned =
        scan_flags(arguments, place, [this](std::string_view name) { return find(name); });
    for (auto& flag : scanned.flags) store(std::move(flag));
    if (help_shown_) print_help();
    return std::move(scanned.words);
  } catch (const base::Error& error) {
    throw base::Error(base::ErrorKind::usage, error.message(), see_help());
  }
}

// "memory,m" and "SIZE" are shown as "-m, --memory SIZE".
void Options::print_help() const {
  const auto spelling = [](const Line& line) {
    const auto letter = line.letter == 0 ? std::string("   ") : fmt::format("-{},", line.letter);
    return fmt::format("{} --{}{}{}", letter, line.name, line.placeholder.empty() ? "" : " ",
                       line.placeholder);
  };
  std::size_t width = 0;
  for (const auto& line : lines_) {
    if (!line.name.empty()) width = std::max(width, spelling(line).size());
  }
  fmt::print("Usage: twinbox {}\n\n{}\n\nFlags:\n", usage_, purpose_);
  for (const auto& line : lines_) {
    if (line.name.empty()) {
      fmt::print("\n{}:\n", line.help);
    } else {
      fmt::print("  {:<{}}  {}\n", spelling(line), width, line.help);
    }
  }
}

std::string Options::see_help() const {
  return fmt::format("see: twinbox help {}", usage_.substr(0, usage_.find(' ')));
}

}  // namespace twinbox::cli
