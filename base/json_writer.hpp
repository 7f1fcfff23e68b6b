// JSON text written member by member, without a tree of values before it: for what is written at
// every start of a box, where building the tree costs more than the text.
#pragma once

#include <charconv>
#include <concepts>
#include <map>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace twinbox::base {

//   JsonWriter json;
//   json.object([&] {
//     json.member("id", id);
//     json.array("words", [&] {
//       for (const auto& word : words) json.element(word);
//     });
//   });
//   write_file(path, json.text());
class JsonWriter {
 public:
  // What becomes of a string that is no UTF-8: a base::Json::type_error, or U+FFFD in its place.
  enum class NotUtf8 { refused, replaced };

  explicit JsonWriter(NotUtf8 not_utf8 = NotUtf8::refused) : not_utf8_(not_utf8) {}

  const std::string& text() const { return text_; }

  // The whole, or an element of an array: `write` writes what is in it.
  template <std::invocable Write>
  void object(Write write) {
    separate();
    enclose('{', write, '}');
  }
  template <std::invocable Write>
  void array(Write write) {
    separate();
    enclose('[', write, ']');
  }

  // Members of an object.
  template <std::invocable Write>
  void object(std::string_view key, Write write) {
    this->key(key);
    enclose('{', write, '}');
  }
  template <std::invocable Write>
  void array(std::string_view key, Write write) {
    this->key(key);
    enclose('[', write, ']');
  }
  template <typename T>
  void member(std::string_view key, const T& value) {
    this->key(key);
    write(value);
  }
  // `json` is a value as text already.
  void member_as_it_is(std::string_view key, std::string_view json) {
    this->key(key);
    text_ += json;
  }

  template <typename T>
  void element(const T& value) {
    separate();
    write(value);
  }

 private:
  template <typename Write>
  void enclose(char open, Write& write, char close) {
    text_ += open;
    write();
    text_ += close;
  }
  // A bool, a number, a string, or a vector or string-keyed map of these.
  template <typename T>
  void write(const T& value);

  void separate() {
    const char last = text_.empty() ? '[' : text_.back();
    if (last != '{' && last != '[') text_ += ',';
  }
  void key(std::string_view name) {
    separate();
    quote(name);
    text_ += ':';
  }
  void quote(std::string_view string);
  void write_double(double value);

  NotUtf8 not_utf8_;
  std::string text_;
};

template <typename T>
void JsonWriter::write(const T& value) {
  if constexpr (std::is_same_v<T, bool>) {
    text_ += value ? "true" : "false";
  } else if constexpr (std::is_integral_v<T>) {
    char digits[24];
    text_.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
  } else if constexpr (std::is_floating_point_v<T>) {
    write_double(value);
  } else if constexpr (std::is_convertible_v<const T&, std::string_view>) {
    quote(value);
  } else if constexpr (requires { typename T::mapped_type; }) {
    const auto members = [&] {
      for (const auto& [name, element] : value) member(name, element);
    };
    enclose('{', members, '}');
  } else {
    const auto elements = [&] {
      for (const auto& element : value) this->element(element);
    };
    enclose('[', elements, ']');
  }
}

}  // namespace twinbox::base
