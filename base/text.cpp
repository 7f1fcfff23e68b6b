#include "base/text.hpp"

#include <algorithm>

namespace twinbox::base {

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> pieces;
  while (!text.empty()) {
    const auto end = std::min(text.find(separator), text.size());
    pieces.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return pieces;
}

std::vector<std::string> words(std::string_view text) {
  constexpr std::string_view blanks = " \t\n\r\f\v";
  std::vector<std::string> found;
  for (auto start = text.find_first_not_of(blanks); start != std::string_view::npos;
       start = text.find_first_not_of(blanks, start)) {
    const auto end = std::min(text.find_first_of(blanks, start), text.size());
    found.emplace_back(text.substr(start, end - start));
    start = end;
  }
  return found;
}

namespace {

std::string shown_byte(char byte) {
  constexpr std::string_view digits = "0123456789abcdef";
  if (byte == '\n') return "\\n";
  if (byte == '\t') return "\\t";
  const auto value = static_cast<unsigned char>(byte);
  return std::string("\\x") + digits[value / 16U] + digits[value % 16U];
}

bool is_control(char byte) {
  const auto value = static_cast<unsigned char>(byte);
  return value < 0x20 || value == 0x7f;
}

// U+0080 to U+009F in UTF-8: terminals take U+009B for ESC [.
bool is_upper_control(std::string_view text) {
  return text.size() > 1 && text[0] == '\xc2' && static_cast<unsigned char>(text[1]) < 0xa0;
}

bool stays_itself(std::string_view word) {
  constexpr std::string_view safe =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-";
  return !word.empty() && word.find_first_not_of(safe) == std::string_view::npos;
}

}  // namespace

std::string shell_quoted(std::string_view word) {
  // Nothing but its end is special between single quotes.
  std::string quoted = "'";
  for (const char c : word) {
    if (c == '\'') {
      quoted += R"('\'')";
    } else {
      quoted += c;
    }
  }
  return quoted + "'";
}

std::string printable(std::string_view text) {
  std::string shown;
  while (!text.empty()) {
    const std::size_t count = is_upper_control(text) ? 2 : 1;
    if (count == 1 && !is_control(text[0])) {
      shown += text[0];
    } else {
      for (const char byte : text.substr(0, count)) shown += shown_byte(byte);
    }
    text.remove_prefix(count);
  }
  return shown;
}

std::string shell_line(const std::vector<std::string>& words) {
  std::string line;
  for (const auto& word : words) {
    if (!line.empty()) line += ' ';
    line += stays_itself(word) ? word : shell_quoted(word);
  }
  return line;
}

}  // namespace twinbox::base
