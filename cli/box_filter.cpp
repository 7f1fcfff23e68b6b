#include "cli/box_filter.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <regex>

#include "base/error.hpp"

namespace twinbox::cli {
namespace {

bool any_of(const Filters& filters, const std::string& key,
            const std::function<bool(const std::string&)>& matches) {
  const auto wanted = filters.find(key);
  return wanted == filters.end() || std::ranges::any_of(wanted->second, matches);
}

bool matches_expression(const std::string& name, const std::string& expression) {
  try {
    return std::regex_search(name, std::regex(expression));
  } catch (const std::regex_error&) {
    throw base::Error(base::ErrorKind::usage,
                      fmt::format("--filter: '{}' is no regular expression", expression));
  }
}

// "busybox", or the beginning of its id.
bool is_image(const supervise::BoxSettings& settings, const std::string& wanted) {
  constexpr std::string_view algorithm = "sha256:";
  const std::string_view id = settings.image_id;
  return settings.image == wanted ||
         (!wanted.empty() &&
          (id.starts_with(wanted) ||
           (id.starts_with(algorithm) && id.substr(algorithm.size()).starts_with(wanted))));
}

}  // namespace

Filters parse_filters(const std::vector<std::string>& given,
                      const std::vector<std::string_view>& known) {
  Filters filters;
  for (const auto& text : given) {
    const auto key = text.substr(0, text.find('='));
    if (std::ranges::find(known, key) == known.end() || key.size() == text.size()) {
      throw base::Error(
          base::ErrorKind::usage, fmt::format("--filter: '{}' is not understood", text),
          fmt::format("write KEY=VALUE with one of the keys {}", fmt::join(known, ", ")));
    }
    filters[key].push_back(text.substr(key.size() + 1));
  }
  return filters;
}

bool is_wanted(const Filters& filters, const std::string& key, std::string_view value) {
  return any_of(filters, key, [&](const std::string& wanted) { return wanted == value; });
}

bool has_labels(const Filters& filters, const std::map<std::string, std::string>& labels) {
  const auto wanted = filters.find("label");
  if (wanted == filters.end()) return true;
  return std::ranges::all_of(wanted->second, [&](const std::string& text) {
    const auto equals = text.find('=');
    const auto label = labels.find(text.substr(0, equals));
    return label != labels.end() &&
           (equals == std::string::npos || label->second == text.substr(equals + 1));
  });
}

Filters parse_box_filters(const std::vector<std::string>& given) {
  auto filters =
      parse_filters(given, {"id", "name", "status", "exited", "label", "ancestor", "engine"});
  for (const auto& status : filters["status"]) supervise::status_from(status);
  std::erase_if(filters, [](const auto& filter) { return filter.second.empty(); });
  return filters;
}

bool matches(const supervise::BoxRecord& record, const Filters& filters) {
  using supervise::Status;
  const auto& [id, name, settings, state] = record;
  if (filters.contains("exited") && state.status != Status::exited) return false;
  return any_of(filters, "id", [&](const auto& wanted) { return id.starts_with(wanted); }) &&
         any_of(filters, "name",
                [&](const auto& wanted) {
                  return matches_expression("/" + name, wanted) || matches_expression(name, wanted);
                }) &&
         any_of(filters, "ancestor",
                [&](const auto& wanted) { return is_image(settings, wanted); }) &&
         is_wanted(filters, "status", to_string(state.status)) &&
         is_wanted(filters, "exited", std::to_string(state.exit_code)) &&
         is_wanted(filters, "engine", settings.engine) && has_labels(filters, settings.labels);
}

}  // namespace twinbox::cli
