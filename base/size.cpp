#include "base/size.hpp"

#include <array>
#include <cctype>
#include <charconv>
#include <limits>

#include "base/error.hpp"

namespace twinbox::base {
namespace {

constexpr std::string_view units = "bkmgt";

}  // namespace

std::uint64_t parse_size(std::string_view text, std::string_view what) {
  const auto fail = [&]() -> Error {
    return {ErrorKind::usage, fmt::format("{}: '{}' is not a size", what, text),
            "write a number with a unit, for example 128m or 2g"};
  };
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) throw fail();
  std::string unit;
  for (const char* c = end; c != text.data() + text.size(); ++c) {
    unit.push_back(static_cast<char>(std::tolower(static_cast<unsigned char>(*c))));
  }
  if (unit.empty()) return number;
  const auto power = units.find(unit.front());
  const auto rest = unit.substr(1);
  if (power == std::string_view::npos ||
      !(rest.empty() || rest == "ib" || (rest == "b" && power > 0))) {
    throw fail();
  }
  const auto shift = 10 * power;
  if (number > std::numeric_limits<std::uint64_t>::max() >> shift) throw fail();
  return number << shift;
}

std::string format_size(std::uint64_t bytes) {
  constexpr std::array<std::string_view, 5> names{"B", "KiB", "MiB", "GiB", "TiB"};
  if (bytes < kibibyte) return fmt::format("{} B", bytes);
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1024 && unit + 1 < names.size()) {
    value /= 1024;
    ++unit;
  }
  return fmt::format("{:.1f} {}", value, names[unit]);
}

}  // namespace twinbox::base
