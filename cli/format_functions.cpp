#include "cli/format_functions.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <nlohmann/json.hpp>

#include "base/error.hpp"

namespace twinbox::cli::format {
namespace {

using base::Json;
using Arguments = std::vector<Json>;

[[noreturn]] void fail(std::string message) {
  throw base::Error(base::ErrorKind::usage, "--format: " + std::move(message));
}

std::string json_text(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

template <int (*Change)(int)>
std::string changed(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](unsigned char c) { return static_cast<char>(Change(c)); });
  return text;
}

Json json(const Arguments& arguments) { return json_text(arguments[0]); }
Json upper(const Arguments& arguments) { return changed<std::toupper>(to_text(arguments[0])); }
Json lower(const Arguments& arguments) { return changed<std::tolower>(to_text(arguments[0])); }

Json title(const Arguments& arguments) {
  auto text = to_text(arguments[0]);
  bool first = true;
  for (auto& c : text) {
    if (first) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    first = c == ' ';
  }
  return text;
}

Json join(const Arguments& arguments) {
  std::string text;
  const auto separator = to_text(arguments[1]);
  for (const auto& element : arguments[0]) {
    if (&element != &*arguments[0].begin()) text += separator;
    text += to_text(element);
  }
  return text;
}

Json split(const Arguments& arguments) {
  auto rest = to_text(arguments[0]);
  const auto separator = to_text(arguments[1]);
  if (separator.empty()) fail("split needs something to split at");
  auto pieces = Json::array();
  for (auto at = rest.find(separator); at != std::string::npos; at = rest.find(separator)) {
    pieces.push_back(rest.substr(0, at));
    rest.erase(0, at + separator.size());
  }
  pieces.push_back(rest);
  return pieces;
}

Json truncate(const Arguments& arguments) {
  const auto text = to_text(arguments[0]);
  if (!arguments[1].is_number_integer()) fail("truncate needs a number");
  return text.substr(
      0, static_cast<std::size_t>(std::max(arguments[1].get<std::int64_t>(), std::int64_t{0})));
}

Json index(const Arguments& arguments) {
  Json value = arguments[0];
  for (const auto& key : std::span(arguments).subspan(1)) {
    Json element;
    if (value.is_array()) {
      const auto at = key.is_number_integer() ? key.get<std::int64_t>() : -1;
      if (at < 0 || at >= static_cast<std::int64_t>(value.size())) {
        fail(fmt::format("index: there is no element {}", to_text(key)));
      }
      element = value[static_cast<std::size_t>(at)];
    } else if (value.is_object()) {
      element = value.value(to_text(key), Json(""));
    } else {
      fail(fmt::format("index: {} has no elements", json_text(value)));
    }
    value = std::move(element);
  }
  return value;
}

Json len(const Arguments& arguments) {
  const auto& value = arguments[0];
  return value.is_string() ? value.get_ref<const std::string&>().size() : value.size();
}

// Blanks stand between operands of which neither is text.
Json print(const Arguments& arguments) {
  std::string text;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (i > 0 && !arguments[i].is_string() && !arguments[i - 1].is_string()) text += ' ';
    text += to_text(arguments[i]);
  }
  return text;
}

Json println(const Arguments& arguments) {
  std::string text;
  for (const auto& argument : arguments) text += (text.empty() ? "" : " ") + to_text(argument);
  return text + "\n";
}

Json printf(const Arguments& arguments) {
  const auto pattern = to_text(arguments[0]);
  std::string text;
  std::size_t next = 1;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] != '%' || i + 1 == pattern.size()) {
      text += pattern[i];
      continue;
    }
    const char verb = pattern[++i];
    if (verb == '%') {
      text += '%';
      continue;
    }
    if (std::string_view("svdq").find(verb) == std::string_view::npos) {
      fail(fmt::format("printf: %{} is not known; use %s, %v, %d or %q", verb));
    }
    if (next >= arguments.size()) fail("printf: a value is missing");
    const auto& value = arguments[next++];
    text += verb == 'q' ? json_text(to_text(value)) : to_text(value);
  }
  return text;
}

Json eq(const Arguments& arguments) {
  return std::ranges::any_of(std::span(arguments).subspan(1),
                             [&](const Json& other) { return arguments[0] == other; });
}
Json ne(const Arguments& arguments) { return arguments[0] != arguments[1]; }
Json lt(const Arguments& arguments) { return arguments[0] < arguments[1]; }
Json le(const Arguments& arguments) { return arguments[0] <= arguments[1]; }
Json gt(const Arguments& arguments) { return arguments[0] > arguments[1]; }
Json ge(const Arguments& arguments) { return arguments[0] >= arguments[1]; }
Json not_(const Arguments& arguments) { return !is_true(arguments[0]); }

Json and_(const Arguments& arguments) {
  const auto found = std::ranges::find_if_not(arguments, is_true);
  return found == arguments.end() ? arguments.back() : *found;
}

Json or_(const Arguments& arguments) {
  const auto found = std::ranges::find_if(arguments, is_true);
  return found == arguments.end() ? arguments.back() : *found;
}

constexpr std::size_t any_number = 99;

struct Function {
  std::string_view name;
  std::size_t least;
  std::size_t most;
  Json (*function)(const Arguments&);
};

constexpr std::array functions{
    Function{"json", 1, 1, json},
    Function{"upper", 1, 1, upper},
    Function{"lower", 1, 1, lower},
    Function{"title", 1, 1, title},
    Function{"join", 2, 2, join},
    Function{"split", 2, 2, split},
    Function{"truncate", 2, 2, truncate},
    Function{"index", 1, any_number, index},
    Function{"len", 1, 1, len},
    Function{"print", 0, any_number, print},
    Function{"println", 0, any_number, println},
    Function{"printf", 1, any_number, printf},
    Function{"eq", 2, any_number, eq},
    Function{"ne", 2, 2, ne},
    Function{"lt", 2, 2, lt},
    Function{"le", 2, 2, le},
    Function{"gt", 2, 2, gt},
    Function{"ge", 2, 2, ge},
    Function{"and", 1, any_number, and_},
    Function{"or", 1, any_number, or_},
    Function{"not", 1, 1, not_},
};

std::string list_text(const Json& value) {
  std::string text;
  for (const auto& [key, element] : value.items()) {
    if (!text.empty()) text += ' ';
    if (value.is_object()) text += key + ":";
    text += to_text(element);
  }
  return value.is_object() ? fmt::format("map[{}]", text) : fmt::format("[{}]", text);
}

}  // namespace

std::string to_text(const Json& value) {
  if (value.is_null()) return "<no value>";
  if (value.is_string()) return value.get<std::string>();
  return value.is_structured() ? list_text(value) : json_text(value);
}

bool is_true(const Json& value) {
  if (value.is_boolean()) return value.get<bool>();
  if (value.is_number()) return value.get<double>() != 0;
  if (value.is_string()) return !value.get_ref<const std::string&>().empty();
  return !value.empty();
}

Json call(std::string_view name, const Arguments& arguments) {
  const auto* const found = std::ranges::find(functions, name, &Function::name);
  if (found == functions.end()) fail(fmt::format("there is no function '{}'", name));
  if (arguments.size() < found->least || arguments.size() > found->most) {
    fail(fmt::format("{} does not take {} values", name, arguments.size()));
  }
  return found->function(arguments);
}

}  // namespace twinbox::cli::format
