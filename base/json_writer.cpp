#include "base/json_writer.hpp"

#include "base/json.hpp"

namespace twinbox::base {
namespace {

// Whether it stands in JSON as it is.
bool is_plain(std::string_view string) {
  bool plain = true;
  for (const char c : string) plain &= c >= ' ' && c <= '~' && c != '"' && c != '\\';
  return plain;
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
