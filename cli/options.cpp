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
  struct HelpLine {
    std::string flag;  // how it is written; empty for a group's title
    std::string text;
  };

  po::options_description options;
  std::vector<HelpLine> help;

  // "memory,m" and "SIZE" are written "-m, --memory SIZE".
  void add(const std::string& name, const std::string& placeholder, const std::string& text,
           const po::value_semantic* semantic) {
    options.add_options()(name.c_str(), semantic);
    const auto comma = name.find(',');
    const auto letter =
        comma == std::string::npos ? std::string("   ") : "-" + name.substr(comma + 1) + ",";
    help.push_back({fmt::format("{} --{}{}{}", letter, name.substr(0, comma),
                                placeholder.empty() ? "" : " ", placeholder),
                    text});
  }

  std::optional<FlagKind> kind(const std::string& name) const {
    const auto* const option = options.find_nothrow(name, false);
    if (option == nullptr) return std::nullopt;
    return FlagKind{option->long_name(), option->semantic()->max_tokens() > 0};
  }
};

Options::Options(std::string usage, std::string purpose)
    : usage_(std::move(usage)),
      purpose_(std::move(purpose)),
      description_(std::make_unique<Description>()) {
  flag("help,h", "show this help", help_shown_);
}

Options::~Options() = default;

void Options::group(const std::string& title) { description_->help.push_back({"", title}); }

void Options::flag(const std::string& name, const std::string& help, bool& target) {
  description_->add(name, {}, help, po::value<bool>(&target)->zero_tokens()->implicit_value(true));
}

void Options::value(const std::string& name, const std::string& placeholder,
                    const std::string& help, std::string& target) {
  description_->add(name, placeholder, help, po::value(&target));
}

void Options::value(const std::string& name, const std::string& placeholder,
                    const std::string& help, std::optional<std::string>& target) {
  description_->add(
      name, placeholder, help,
      po::value<std::string>()->notifier([&target](const std::string& text) { target = text; }));
}

void Options::values(const std::string& name, const std::string& placeholder,
                     const std::string& help, std::vector<std::string>& target) {
  description_->add(name, placeholder, help, po::value(&target)->composing());
}

void Options::store(const std::vector<ScannedFlag>& flags) {
  po::parsed_options parsed(&description_->options, po::command_line_style::allow_long);
  for (const auto& flag : flags) {
    given_.insert(flag.name);
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
    auto scanned = scan_flags(arguments, place,
                              [this](const std::string& name) { return description_->kind(name); });
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
  const auto& lines = description_->help;
  std::size_t width = 0;
  for (const auto& line : lines) width = std::max(width, line.flag.size());
  fmt::print("Usage: twinbox {}\n\n{}\n\nFlags:\n", usage_, purpose_);
  for (const auto& line : lines) {
    if (line.flag.empty()) {
      fmt::print("\n{}:\n", line.text);
    } else {
      fmt::print("  {:<{}}  {}\n", line.flag, width, line.text);
    }
  }
}

std::string Options::see_help() const {
  return fmt::format("see: twinbox help {}", usage_.substr(0, usage_.find(' ')));
}

}  // namespace twinbox::cli
