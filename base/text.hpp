// Text taken apart without the iostream library, whose locales would double a small static program.
#pragma once

#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace twinbox::base {

// The pieces between `separator`; a separator at the very end begins no further piece.
std::vector<std::string> split(std::string_view text, char separator);

// The words between spaces, tabs and line ends.
std::vector<std::string> words(std::string_view text);

// The word in single quotes, for a shell to take as it is (POSIX.1-2017 XCU 2.2.2).
std::string shell_quoted(std::string_view word);

// The words as one line that a shell takes apart into the same words (POSIX.1-2017 XCU 2.2); quoted
// are those that would not stay themselves without.
std::string shell_line(const std::vector<std::string>& words);

// Text from somebody else as one line that tells a terminal nothing to do: control characters are
// shown as "\n" or "\x1b".
std::string printable(std::string_view text);

// The whole of `text` as a decimal number; nullopt when it is none or does not fit.
template <typename Number>
std::optional<Number> parse_number(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace twinbox::base
