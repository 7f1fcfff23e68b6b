#include "compare/report/html.hpp"

#include <string_view>

#include "base/error.hpp"
#include "compare/report/assets.hpp"

namespace twinbox::compare {
namespace {

// JSON that may stand inside a script element: "<" only occurs in its strings, and there it may be
// written as an escape, so that no "</script>" or "<!--" is seen.
std::string escape_for_script(const std::string& json) {
  std::string escaped;
  escaped.reserve(json.size());
  for (const char c : json) {
    if (c == '<') {
      escaped += "\\u003c";
    } else {
      escaped += c;
    }
  }
  return escaped;
}

// Appends the template up to the next slot and the slot's content; returns what is left of it.
std::string_view fill(std::string& page, std::string_view rest, std::string_view slot,
                      std::string_view content) {
  const auto at = rest.find(slot);
  if (at == std::string_view::npos) {
    throw base::Error(base::ErrorKind::internal,
                      fmt::format("the report's template has no {}", slot));
  }
  page += rest.substr(0, at);
  page += content;
  return rest.substr(at + slot.size());
}

}  // namespace

std::string render_html(const Result& result) {
  std::string page;
  auto rest = page_template();
  rest = fill(page, rest, "/*{{style}}*/", page_style());
  rest = fill(page, rest, "{{data}}", escape_for_script(to_json(result)));
  rest = fill(page, rest, "/*{{script}}*/", page_script());
  return page + std::string(rest);
}

}  // namespace twinbox::compare
