#include "cli/moment.hpp"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "base/error.hpp"
#include "base/text.hpp"
#include "supervise/time.hpp"

namespace twinbox::cli {
namespace {

constexpr double second_ns = 1e9;

// "1h30m", "90s", "1.5h", "250ms".
std::optional<std::int64_t> duration(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, double>, 6> units{
      {{"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"h", 3600e9}, {"m", 60e9}, {"s", 1e9}}};
  double total = 0;
  while (!text.empty()) {
    const auto length = std::min(text.find_first_not_of("0123456789."), text.size());
    const auto number = base::parse_number<double>(text.substr(0, length));
    text.remove_prefix(length);
    const auto* unit = units.begin();
    while (unit != units.end() && !text.starts_with(unit->first)) ++unit;
    if (!number || unit == units.end()) return std::nullopt;
    total += *number * unit->second;
    text.remove_prefix(unit->first.size());
  }
  return static_cast<std::int64_t>(total);
}

}  // namespace

std::optional<std::int64_t> moment(const std::string& text, std::string_view flag,
                                   std::int64_t now) {
  if (text.empty()) return std::nullopt;
  if (const auto seconds = base::parse_number<double>(text)) {
    return static_cast<std::int64_t>(*seconds * second_ns);
  }
  for (const auto* const rest : {"", "Z", "T00:00:00Z"}) {
    if (const auto time = supervise::time_from_rfc3339(text + rest)) return time;
  }
  if (const auto before = duration(text)) return now - *before;
  throw base::Error(base::ErrorKind::usage, fmt::format("{}: '{}' is no moment", flag, text),
                    "for example: 2026-01-31T08:00:00Z, 1769846400, or 10m for ten minutes ago");
}

}  // namespace twinbox::cli
