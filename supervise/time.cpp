#include "supervise/time.hpp"

#include <fmt/format.h>

#include <chrono>
#include <ctime>

#include "base/text.hpp"

namespace twinbox::supervise {
namespace {

constexpr std::int64_t second_ns = 1'000'000'000;
constexpr std::string_view shape = "0000-00-00T00:00:00";

std::optional<int> digits(std::string_view text, std::size_t at, std::size_t count) {
  return at + count <= text.size() ? base::parse_number<int>(text.substr(at, count)) : std::nullopt;
}

bool has_shape(std::string_view text) {
  if (text.size() <= shape.size()) return false;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const bool digit = text[i] >= '0' && text[i] <= '9';
    if (shape[i] == '0' ? !digit : text[i] != shape[i]) return false;
  }
  return true;
}

// ".25" of a second; takes it off `rest`.
std::int64_t take_fraction(std::string_view& rest) {
  if (!rest.starts_with('.')) return 0;
  rest.remove_prefix(1);
  std::int64_t value = 0;
  for (std::int64_t unit = second_ns / 10;
       !rest.empty() && rest.front() >= '0' && rest.front() <= '9'; unit /= 10) {
    value += unit * (rest.front() - '0');
    rest.remove_prefix(1);
  }
  return value;
}

// Seconds east of Greenwich.
std::optional<int> offset(std::string_view text) {
  if (text == "Z") return 0;
  if (text.size() != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':') return std::nullopt;
  const auto hours = digits(text, 1, 2);
  const auto minutes = digits(text, 4, 2);
  if (!hours || !minutes) return std::nullopt;
  return (text[0] == '-' ? -1 : 1) * (*hours * 3600 + *minutes * 60);
}

}  // namespace

std::int64_t now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

// Not by gmtime(3), which reads the host's time zone first.
std::string rfc3339(std::int64_t time) {
  using namespace std::chrono;
  const sys_time<nanoseconds> moment{nanoseconds(time)};
  const auto day = floor<days>(moment);
  const year_month_day date(day);
  const hh_mm_ss clock(moment - day);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:09}Z", int{date.year()},
                     unsigned{date.month()}, unsigned{date.day()}, clock.hours().count(),
                     clock.minutes().count(), clock.seconds().count(), clock.subseconds().count());
}

std::optional<std::int64_t> time_from_rfc3339(std::string_view text) {
  if (!has_shape(text)) return std::nullopt;
  std::tm parts{};
  parts.tm_year = *digits(text, 0, 4) - 1900;
  parts.tm_mon = *digits(text, 5, 2) - 1;
  parts.tm_mday = *digits(text, 8, 2);
  parts.tm_hour = *digits(text, 11, 2);
  parts.tm_min = *digits(text, 14, 2);
  parts.tm_sec = *digits(text, 17, 2);
  auto rest = text.substr(shape.size());
  const auto fraction = take_fraction(rest);
  const auto east = offset(rest);
  if (!east) return std::nullopt;
  return (static_cast<std::int64_t>(::timegm(&parts)) - *east) * second_ns + fraction;
}

}  // namespace twinbox::supervise
