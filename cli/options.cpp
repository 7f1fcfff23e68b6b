#include "cli/options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/program_options.hpp>
#include <cstdio>
#include <utility>

#include "base/error.hpp"

namespace twinbox::cli {

namespace po = boost::program_options;

struct Options::Description {
  po::options_description options;
  std::vector<std::pair<std::string, std::string>> help;  // how a flag is written, what it does

  // "memory,m" and "SIZE" are written "-m, --memory SIZE".
  void add_help(const std::string& name, const std::string& placeholder, const std::string& text) {
    const auto comma = name.find(',');
    const auto letter =
        comma == std::string::npos ? std::string("   ") : "-" + name.substr(comma + 1) + ",";
    help.emplace_back(fmt::format("{} --{}{}{}", letter, name.substr(0, comma),
                                  placeholder.empty() ? "" : " ", placeholder),
                      text);
  }

  void print_help() const {
    std::size_t width = 0;
    for (const auto& [flag, text] : help) width = std::max(width, flag.size());
    for (const auto& [flag, text] : help) fmt::print("  {:<{}}  {}\n", flag, width, text);
  }

  bool takes_value(const std::string& name) const {
    const auto* const option = options.find_nothrow(name, false);
    return option != nullptr && option->semantic()->max_tokens() > 0;
  }
};

Options::Options(std::string usage, std::string purpose)
    : usage_(std::move(usage)),
      purpose_(std::move(purpose)),
      description_(std::make_unique<Description>()) {
  flag("help,h", "show this help", help_shown_);
}

Options::~Options() = default;

void Options::flag(const std::string& name, const std::string& help, bool& target) {
  description_->options.add_options()(name.c_str(), po::bool_switch(&target));
  description_->add_help(name, {}, help);
}

void Options::value(const std::string& name, const std::string& placeholder,
                    const std::string& help, std::string& target) {
  description_->options.add_options()(name.c_str(), po::value(&target));
  description_->add_help(name, placeholder, help);
}

void Options::values(const std::string& name, const std::string& placeholder,
                     const std::string& help, std::vector<std::string>& target) {
  description_->options.add_options()(name.c_str(), po::value(&target)->composing());
  description_->add_help(name, placeholder, help);
}

std::vector<std::string>::const_iterator Options::end_of_flags(
    const std::vector<std::string>& arguments) const {
  auto at = arguments.begin();
  while (at != arguments.end() && at->size() > 1 && at->front() == '-' && *at != "--") {
    const bool is_long = at->starts_with("--");
    const bool has_value_inside = is_long ? at->find('=') != std::string::npos : at->size() > 2;
    // A one-letter flag is known to the description by its dash and letter.
    const auto name = is_long ? at->substr(2) : *at;
    ++at;
    if (!has_value_inside && at != arguments.end() && description_->takes_value(name)) ++at;
  }
  return at;
}

std::vector<std::string> Options::parse(const std::vector<std::string>& arguments) {
  const auto end = end_of_flags(arguments);
  try {
    po::variables_map values;
    const auto style = po::command_line_style::unix_style & ~po::command_line_style::allow_guessing;
    po::store(po::command_line_parser({arguments.begin(), end})
                  .options(description_->options)
                  .style(style)
                  .run(),
              values);
    po::notify(values);
  } catch (const po::error& error) {
    throw base::Error(base::ErrorKind::usage, error.what(), see_help());
  }
  if (help_shown_) {
    fmt::print("Usage: twinbox {}\n\n{}\n\nFlags:\n", usage_, purpose_);
    description_->print_help();
  }
  const bool has_separator = end != arguments.end() && *end == "--";
  return {has_separator ? end + 1 : end, arguments.end()};
}

std::string Options::see_help() const {
  return fmt::format("see: twinbox help {}", usage_.substr(0, usage_.find(' ')));
}

}  // namespace twinbox::cli
