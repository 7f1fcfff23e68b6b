#include "base/signal_names.hpp"

#include <algorithm>
#include <cctype>
#include <csignal>
#include <cstring>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "base/text.hpp"

namespace twinbox::base {
namespace {

// "RTMIN", "RTMIN+3", "RTMAX-1".
std::optional<int> real_time_signal(std::string_view name) {
  for (const auto& [start, number] : {std::pair(std::string_view("RTMIN"), SIGRTMIN),
                                      std::pair(std::string_view("RTMAX"), SIGRTMAX)}) {
    if (!name.starts_with(start)) continue;
    auto offset = name.substr(start.size());
    if (offset.empty()) return number;
    if (offset.starts_with('+')) offset.remove_prefix(1);
    const auto distance = parse_number<int>(offset);
    if (distance) return number + *distance;
  }
  return std::nullopt;
}

std::optional<int> named_signal(std::string name) {
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::toupper(c); });
  if (name.starts_with("SIG")) name.erase(0, 3);
  for (int number = 1; number < SIGRTMIN; ++number) {
    const char* const known = ::sigabbrev_np(number);
    if (known != nullptr && name == known) return number;
  }
  return real_time_signal(name);
}

}  // namespace

int parse_signal(std::string_view text, std::string_view what) {
  const auto number = parse_number<int>(text);
  const auto signal = number ? number : named_signal(std::string(text));
  if (signal && *signal >= 1 && *signal <= SIGRTMAX) return *signal;
  throw Error(ErrorKind::usage, fmt::format("{}: '{}' is no signal", what, text),
              "give a name such as SIGTERM or TERM, or a number from 1 to 64");
}

}  // namespace twinbox::base
