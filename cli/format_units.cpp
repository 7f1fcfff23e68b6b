#include "cli/format_units.hpp"

#include <fmt/format.h>

#include <array>
#include <string_view>

#include "cli/table.hpp"
#include "supervise/time.hpp"

namespace twinbox::cli {
namespace {

constexpr std::int64_t second_ns = 1'000'000'000;
constexpr std::int64_t day_hours = 24;

struct Span {
  std::int64_t hours_below;  // the first one that is longer than the duration names its unit
  std::int64_t unit_hours;
  std::string_view name;
};

constexpr std::array spans{
    Span{2 * day_hours, 1, "hours"},
    Span{14 * day_hours, day_hours, "days"},
    Span{60 * day_hours, 7 * day_hours, "weeks"},
    Span{730 * day_hours, 30 * day_hours, "months"},
};

std::string size_text(double bytes, double base, const std::array<std::string_view, 6>& units,
                      int digits) {
  std::size_t unit = 0;
  while (bytes >= base && unit + 1 < units.size()) {
    bytes /= base;
    ++unit;
  }
  return fmt::format("{:.{}g}{}", bytes, digits, units[unit]);
}

}  // namespace

std::string human_duration(std::int64_t duration) {
  const auto seconds = duration / second_ns;
  if (seconds < 1) return "Less than a second";
  if (seconds == 1) return "1 second";
  if (seconds < 60) return fmt::format("{} seconds", seconds);
  const auto minutes = seconds / 60;
  if (minutes == 1) return "About a minute";
  if (minutes < 60) return fmt::format("{} minutes", minutes);
  const auto hours = (minutes + 30) / 60;
  if (hours == 1) return "About an hour";
  for (const auto& span : spans) {
    if (hours < span.hours_below) return fmt::format("{} {}", hours / span.unit_hours, span.name);
  }
  return fmt::format("{} years", hours / (365 * day_hours));
}

std::string human_size(double bytes, int digits) {
  return size_text(bytes, 1000, {"B", "kB", "MB", "GB", "TB", "PB"}, digits);
}

std::string binary_size(double bytes) {
  return size_text(bytes, 1024, {"B", "KiB", "MiB", "GiB", "TiB", "PiB"}, 4);
}

std::string date_and_time(std::int64_t time) {
  const auto text = supervise::rfc3339(time);
  return fmt::format("{} {} +0000 UTC", text.substr(0, 10), text.substr(11, 8));
}

std::string ellipsis(const std::string& text, std::size_t length) {
  if (display_width(text) <= length) return text;
  std::string shortened;
  std::size_t width = 0;
  for (const char c : text) {
    const bool begins = (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
    if (begins && ++width == length) break;
    shortened += c;
  }
  return shortened + "…";
}

}  // namespace twinbox::cli
