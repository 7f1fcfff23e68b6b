#include "compare/report/assets.hpp"

// Bounds of the files that assets.S takes in.
extern "C" {
extern const char twinbox_report_html[];
extern const char twinbox_report_html_end[];
extern const char twinbox_report_js[];
extern const char twinbox_report_js_end[];
extern const char twinbox_report_css[];
extern const char twinbox_report_css_end[];
extern const char twinbox_chart_js[];
extern const char twinbox_chart_js_end[];
}

namespace twinbox::compare {
namespace {

std::string_view between(const char* begin, const char* end) {
  return {begin, static_cast<std::size_t>(end - begin)};
}

}  // namespace

std::string_view page_template() { return between(twinbox_report_html, twinbox_report_html_end); }
std::string_view page_script() { return between(twinbox_report_js, twinbox_report_js_end); }
std::string_view page_style() { return between(twinbox_report_css, twinbox_report_css_end); }
std::string_view chart_library() { return between(twinbox_chart_js, twinbox_chart_js_end); }

}  // namespace twinbox::compare
