#include "base/json_writer.hpp"

#include <cstdint>
#include <cstring>
#include <nlohmann/json.hpp>

#include "base/json.hpp"

namespace twinbox::base {
namespace {

constexpr std::uint64_t each(std::uint64_t byte) { return byte * 0x0101'0101'0101'0101U; }
constexpr std::uint64_t high_bits = each(0x80);

// The high bit of each byte that is zero, and maybe of one above such a byte.
constexpr std::uint64_t zero_bytes(std::uint64_t word) { return (word - each(1)) & ~word; }

// Whether one of eight bytes cannot stand in a JSON string as it is; most of what is written at a
// start is looked at here.
constexpr bool has_special(std::uint64_t word) {
  const auto below_space = (word - each(' ')) & ~word;
  const auto above_tilde = word | (word + each(0x80 - '~' - 1));
  const auto special =
      below_space | above_tilde | zero_bytes(word ^ each('"')) | zero_bytes(word ^ each('\\'));
  return (special & high_bits) != 0;
}

// Whether it stands in JSON as it is.
bool is_plain(std::string_view string) {
  std::uint64_t word = 0;
  for (; string.size() >= sizeof word; string.remove_prefix(sizeof word)) {
    std::memcpy(&word, string.data(), sizeof word);
    if (has_special(word)) return false;
  }
  word = each(' ');
  std::memcpy(&word, string.data(), string.size());
  return !has_special(word);
}

}  // namespace

void JsonWriter::quote(std::string_view string) {
  if (is_plain(string)) {
    text_ += '"';
    text_ += string;
    text_ += '"';
    return;
  }
  const auto handler = not_utf8_ == NotUtf8::replaced ? Json::error_handler_t::replace
                                                      : Json::error_handler_t::strict;
  text_ += Json(string).dump(-1, ' ', false, handler);
}

void JsonWriter::write_double(double value) { text_ += Json(value).dump(); }

}  // namespace twinbox::base
