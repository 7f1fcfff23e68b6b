#include "compare/report/quantity.hpp"

#include <cmath>

#include "base/error.hpp"
#include "base/size.hpp"
#include "compare/summary.hpp"

namespace twinbox::compare {
namespace {

std::string digits(double value) {
  const double size = std::abs(value);
  return fmt::format("{:.{}f}", value, size < 10 ? 2 : size < 100 ? 1 : 0);
}

std::string number(double value) {
  const double size = std::abs(value);
  if (size >= 1e6) return digits(value / 1e6) + " M";
  return size >= 1e4 ? digits(value / 1e3) + " k" : digits(value);
}

}  // namespace

std::string format_quantity(double value, const std::string& unit) {
  if (unit == "ns") return format_time(value);
  if (unit == "s") return format_time(value * 1e9);
  if (unit == "B") {
    const auto size = base::format_size(static_cast<std::uint64_t>(std::abs(value)));
    return value < 0 ? "-" + size : size;
  }
  if (unit.starts_with("1/")) return number(value) + unit.substr(1);
  return number(value) + " " + unit;
}

}  // namespace twinbox::compare
