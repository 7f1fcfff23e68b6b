#include "base/json.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace twinbox::base {
namespace {

// A key as a part of a JSON pointer (RFC 6901, section 3).
std::string escaped(std::string_view key) {
  std::string part;
  for (const char c : key) {
    if (c == '~') {
      part += "~0";
    } else if (c == '/') {
      part += "~1";
    } else {
      part += c;
    }
  }
  return part;
}

// Follows a text to where it cannot be parsed: of a number that no double holds, the parser's own
// error tells no place.
class PlaceOfError : public nlohmann::json_sax<Json> {
 public:
  std::string pointer() const {
    std::string text;
    for (const auto& level : levels_) {
      text += '/' + (level.is_array ? std::to_string(level.index) : escaped(level.key));
    }
    return text;
  }
  const std::string& token() const { return token_; }

  bool null() override { return value(); }
  bool boolean(bool) override { return value(); }
  bool number_integer(std::int64_t) override { return value(); }
  bool number_unsigned(std::uint64_t) override { return value(); }
  bool number_float(double, const std::string&) override { return value(); }
  bool string(std::string&) override { return value(); }
  bool binary(Json::binary_t&) override { return value(); }
  bool start_object(std::size_t) override { return enter(false); }
  bool start_array(std::size_t) override { return enter(true); }
  bool end_object() override { return leave(); }
  bool end_array() override { return leave(); }
  bool key(std::string& name) override {
    levels_.back().key = name;
    return true;
  }
  bool parse_error(std::size_t, const std::string& token, const Json::exception&) override {
    token_ = token;
    return false;
  }

 private:
  struct Level {
    bool is_array = false;
    std::size_t index = 0;
    std::string key{};
  };

  bool enter(bool is_array) {
    levels_.push_back({is_array});
    return true;
  }
  bool leave() {
    levels_.pop_back();
    return value();
  }
  bool value() {
    if (!levels_.empty()) ++levels_.back().index;
    return true;
  }

  std::vector<Level> levels_;
  std::string token_;
};

}  // namespace

Json parse_json(std::string_view text, std::string_view source) {
  try {
    return Json::parse(text);
  } catch (const Json::parse_error& error) {
    throw Error(ErrorKind::usage, fmt::format("{} is not valid JSON: {}", source, error.what()));
  } catch (const Json::out_of_range&) {
    PlaceOfError place;
    Json::sax_parse(text, &place);
    throw Error(ErrorKind::usage, fmt::format("{}#{}: the number {} is too large", source,
                                              place.pointer(), place.token()));
  }
}

std::size_t json_depth(std::string_view text) {
  std::size_t depth = 0;
  std::size_t deepest = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string && c == '\\') ++i;
    if (c == '"') in_string = !in_string;
    if (in_string) continue;
    if (c == '[' || c == '{') deepest = std::max(deepest, ++depth);
    if ((c == ']' || c == '}') && depth > 0) --depth;
  }
  return deepest;
}

JsonView JsonView::with_pointers(const Json& value, std::string_view source) {
  JsonView view(value, fmt::format("{}#", source));
  view.paths_ = Paths::pointer;
  return view;
}

std::string JsonView::path() const {
  auto path = *source_;
  for (std::size_t i = 0; i < depth_; ++i) {
    const auto& [key, index] = steps_[i];
    if (paths_ == Paths::pointer) {
      path += '/' + (key != nullptr ? escaped(*key) : std::to_string(index));
    } else {
      path += key != nullptr ? '.' + *key : fmt::format("[{}]", index);
    }
  }
  return path;
}

JsonView JsonView::step(Step step, const Json& value) const {
  JsonView view(*this);
  view.value_ = &value;
  if (view.depth_ == view.steps_.size()) {
    view.source_ = std::make_shared<const std::string>(path());
    view.depth_ = 0;
  }
  view.steps_[view.depth_++] = step;
  return view;
}

bool JsonView::has(std::string_view key) const { return find(key).has_value(); }

JsonView JsonView::at(std::string_view key) const {
  if (auto member = find(key)) return *member;
  throw Error(ErrorKind::usage, fmt::format("{}: the field '{}' is missing", path(), key));
}

std::optional<JsonView> JsonView::find(std::string_view key) const {
  if (!value_->is_object()) fail("an object");
  const auto found = value_->find(key);
  if (found == value_->end()) return std::nullopt;
  return step({.key = &found.key()}, *found);
}

std::vector<JsonView> JsonView::elements() const {
  if (!value_->is_array()) fail("an array");
  std::vector<JsonView> result;
  for (std::size_t i = 0; i < value_->size(); ++i) {
    result.push_back(step({.index = i}, (*value_)[i]));
  }
  return result;
}

std::vector<std::pair<std::string, JsonView>> JsonView::members() const {
  if (!value_->is_object()) fail("an object");
  std::vector<std::pair<std::string, JsonView>> result;
  for (auto member = value_->begin(); member != value_->end(); ++member) {
    result.emplace_back(member.key(), step({.key = &member.key()}, *member));
  }
  return result;
}

void JsonView::fail(std::string_view expected) const {
  throw Error(ErrorKind::usage,
              fmt::format("{}: expected {}, found {}", path(), expected, value_->type_name()));
}

bool JsonView::as_bool() const {
  if (!value_->is_boolean()) fail("true or false");
  return value_->get<bool>();
}

std::int64_t JsonView::as_signed(std::int64_t low, std::int64_t high) const {
  const bool fits = value_->is_number_unsigned()
                        ? value_->get<std::uint64_t>() <= static_cast<std::uint64_t>(high)
                        : value_->is_number_integer() && value_->get<std::int64_t>() >= low &&
                              value_->get<std::int64_t>() <= high;
  if (!fits) fail(fmt::format("an integer from {} to {}", low, high));
  return value_->get<std::int64_t>();
}

std::uint64_t JsonView::as_unsigned(std::uint64_t high) const {
  if (!value_->is_number_unsigned() || value_->get<std::uint64_t>() > high) {
    fail(fmt::format("an integer from 0 to {}", high));
  }
  return value_->get<std::uint64_t>();
}

double JsonView::as_double() const {
  if (!value_->is_number()) fail("a number");
  return value_->get<double>();
}

std::string JsonView::as_string() const {
  if (!value_->is_string()) fail("a string");
  return value_->get<std::string>();
}

}  // namespace twinbox::base
