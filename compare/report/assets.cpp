#include "compare/report/assets.hpp"

// Bounds of the files that assets.S takes in.
extern "C" {
extern const char twinbox_page_html[];
extern const char twinbox_page_html_end[];
extern const char twinbox_page_css[];
extern const char twinbox_page_css_end[];
extern const char twinbox_page_js[];
extern const char twinbox_page_js_end[];
}

namespace twinbox::compare {
namespace {

std::string_view between(const char* begin, const char* end) {
  return {begin, static_cast<std::size_t>(end - begin)};
}

}  // namespace

std::string_view page_template() { return between(twinbox_page_html, twinbox_page_html_end); }
std::string_view page_style() { return between(twinbox_page_css, twinbox_page_css_end); }
std::string_view page_script() { return between(twinbox_page_js, twinbox_page_js_end); }

}  // namespace twinbox::compare
