// Typed decoding of JSON: every mistake is an error that names the field's path.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>  // the whole takes a second to compile: for those who look into it
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/error.hpp"

namespace twinbox::base {

using Json = nlohmann::json;

// Parses `text`; `source` names it in an error ("config.json: line 3, column 7: ...").
Json parse_json(std::string_view text, std::string_view source);

// How deep arrays and objects lie within one another; `text` may be anything.
std::size_t json_depth(std::string_view text);

// A view of a JSON value that knows where it stands.
//
//   JsonView view(json, "config.json");
//   auto args = view.at("process").at("args").as<std::vector<std::string>>();
//   auto cwd = view.at("process").get_or<std::string>("cwd", "/");
class JsonView {
 public:
  // How errors name a place.
  enum class Paths {
    dotted,   // config.json.process.args[0]
    pointer,  // config.json#/process/args/0 (RFC 6901, section 6)
  };

  JsonView(const Json& value, std::string path)
      : value_(&value), source_(std::make_shared<const std::string>(std::move(path))) {}
  static JsonView with_pointers(const Json& value, std::string_view source);

  const Json& value() const { return *value_; }
  std::string path() const;

  bool has(std::string_view key) const;
  // The member `key`; an error when this is no object or has no such member.
  JsonView at(std::string_view key) const;
  std::optional<JsonView> find(std::string_view key) const;
  std::vector<JsonView> elements() const;
  // Each member of an object by name.
  std::vector<std::pair<std::string, JsonView>> members() const;

  // The value as T: bool, an integer (range-checked), double, std::string, or a vector or
  // string-keyed map of these.
  template <typename T>
  T as() const;
  template <typename T>
  T get(std::string_view key) const {
    return at(key).as<T>();
  }
  template <typename T>
  T get_or(std::string_view key, T fallback) const {
    const auto member = find(key);
    return member ? member->as<T>() : std::move(fallback);
  }

  [[noreturn]] void fail(std::string_view expected) const;

 private:
  // From the value that it is in.
  struct Step {
    const std::string* key = nullptr;  // as that object has it; none: of an array
    std::size_t index = 0;
  };
  static constexpr std::size_t most_steps = 6;

  JsonView step(Step step, const Json& value) const;
  bool as_bool() const;
  std::int64_t as_signed(std::int64_t low, std::int64_t high) const;
  std::uint64_t as_unsigned(std::uint64_t high) const;
  double as_double() const;
  std::string as_string() const;

  const Json* value_;
  // The path is put together when it is asked for: nearly always nobody does.
  std::shared_ptr<const std::string> source_;
  std::array<Step, most_steps> steps_{};
  std::size_t depth_ = 0;
  Paths paths_ = Paths::dotted;
};

namespace detail {
template <typename T>
struct IsVector : std::false_type {};
template <typename T>
struct IsVector<std::vector<T>> : std::true_type {};
template <typename T>
struct IsMap : std::false_type {};
template <typename T>
struct IsMap<std::map<std::string, T>> : std::true_type {};
}  // namespace detail

template <typename T>
T JsonView::as() const {
  if constexpr (std::is_same_v<T, bool>) {
    return as_bool();
  } else if constexpr (std::is_floating_point_v<T>) {
    return static_cast<T>(as_double());
  } else if constexpr (std::is_integral_v<T> && std::is_signed_v<T>) {
    return static_cast<T>(as_signed(std::numeric_limits<T>::min(), std::numeric_limits<T>::max()));
  } else if constexpr (std::is_integral_v<T>) {
    return static_cast<T>(as_unsigned(std::numeric_limits<T>::max()));
  } else if constexpr (std::is_same_v<T, std::string>) {
    return as_string();
  } else if constexpr (detail::IsVector<T>::value) {
    T result;
    for (const auto& element : elements()) result.push_back(element.as<typename T::value_type>());
    return result;
  } else {
    static_assert(detail::IsMap<T>::value, "no decoding for this type");
    T result;
    for (const auto& [name, member] : members()) {
      result.emplace(name, member.template as<typename T::mapped_type>());
    }
    return result;
  }
}

}  // namespace twinbox::base
