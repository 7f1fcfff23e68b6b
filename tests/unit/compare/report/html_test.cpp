#include "compare/report/html.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <regex>

#include "base/json.hpp"
#include "tests/unit/compare/sample_result.hpp"

namespace twinbox::compare {
namespace {

// The page without its script, whose names for kinds of elements look like addresses.
std::string without_script(const std::string& page) {
  const auto begin = page.rfind("<script>");
  const auto end = page.find("</script>", begin);
  EXPECT_NE(begin, std::string::npos);
  return page.substr(0, begin) + page.substr(end);
}

base::Json data_of(const std::string& page) {
  const std::string open = "id=\"report-data\">";
  const auto begin = page.find(open) + open.size();
  return base::parse_json(page.substr(begin, page.find("</script>", begin) - begin), "page");
}

TEST(Html, CarriesItsData) {
  const auto data = data_of(render_html(sample_result()));
  EXPECT_EQ(data["schema"], "twinbox-report");
  EXPECT_EQ(data["starts"].size(), 18U);
}

TEST(Html, CarriesItsScriptAndStyle) {
  const auto page = render_html(sample_result());
  EXPECT_NE(page.find("prefers-color-scheme: dark"), std::string::npos);
  EXPECT_NE(page.find("waterfall-"), std::string::npos);
  EXPECT_LT(page.size(), 1'500'000U);
  EXPECT_EQ(page.find("{{"), std::string::npos);
}

TEST(Html, RefersToNothingOutside) {
  const auto page = without_script(render_html(sample_result()));
  EXPECT_EQ(page.find("http://"), std::string::npos);
  EXPECT_EQ(page.find("https://"), std::string::npos);
  EXPECT_FALSE(std::regex_search(page, std::regex("<(link|img|iframe|object|embed)[ >]")));
  EXPECT_FALSE(std::regex_search(page, std::regex("(fetch|XMLHttpRequest|import|url)\\(")));
  EXPECT_FALSE(std::regex_search(page, std::regex("<script[^>]*\\ssrc=")));
  EXPECT_NE(page.find("default-src 'none'"), std::string::npos);
}

TEST(Html, DataCannotEndItsScript) {
  auto result = sample_result();
  result.failures.push_back({"vm", "start-up", "</script><script>alert(1)</script><!--"});
  const auto page = render_html(result);
  EXPECT_EQ(page.find("<script>alert"), std::string::npos);
  EXPECT_EQ(data_of(page)["failures"][0]["message"], "</script><script>alert(1)</script><!--");
}

}  // namespace
}  // namespace twinbox::compare
