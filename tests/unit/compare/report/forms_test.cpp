// The report as CSV and as Markdown.
#include <gtest/gtest.h>

#include <algorithm>

#include "compare/report/csv.hpp"
#include "compare/report/markdown.hpp"
#include "compare/report/quantity.hpp"
#include "tests/unit/compare/sample_result.hpp"

namespace twinbox::compare {
namespace {

TEST(Csv, HasALineForEverySample) {
  auto result = sample_result();
  result.engines.at(0).title = "with, comma";
  const auto csv = render_csv(result);
  EXPECT_TRUE(csv.starts_with("host,engine,workload,metric,at,unit,better,block,value\r\n"));
  // Three engines with five runs of four metrics of marks and six instances' memory, and the
  // header.
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 3 * (5 * 4 + 6) + 1);
  EXPECT_NE(csv.find("this host,vm,start-up,start-up,,ns,lower,1,"), std::string::npos) << csv;
}

TEST(Csv, QuotesWhatNeedsIt) {
  auto result = sample_result();
  result.hosts.front().name = R"(a "good", host)";
  for (auto& engine : result.engines) engine.host = result.hosts.front().name;
  EXPECT_NE(render_csv(result).find("\"a \"\"good\"\", host\",vm"), std::string::npos);
}

TEST(Markdown, HasFiguresRatiosAndAudit) {
  const auto text = render_markdown(rich_result());
  EXPECT_NE(text.find("| start-up, start-up | microVM | this host | 121 ms |"), std::string::npos)
      << text;
  EXPECT_NE(text.find("| fail | same kernel | bzImage against vmlinux |"), std::string::npos);
  EXPECT_NE(text.find("| launch rate, start-up at 4 | container | plain process |"),
            std::string::npos);
  EXPECT_NE(text.find("executed instructions"), std::string::npos);
}

TEST(Markdown, CannotBeBrokenByAText) {
  auto result = sample_result();
  result.audit = {{"odd", AuditState::warn, "a | b\nc"}};
  EXPECT_NE(render_markdown(result).find("| odd | a \\| b c |"), std::string::npos);
}

TEST(FormatQuantity, KnowsTheUnits) {
  EXPECT_EQ(format_quantity(12.34e6, "ns"), "12.3 ms");
  EXPECT_EQ(format_quantity(0.5, "s"), "500 ms");
  EXPECT_EQ(format_quantity(4 << 20, "B"), "4.0 MiB");
  EXPECT_EQ(format_quantity(90'900, "1/s"), "90.9 k/s");
  EXPECT_EQ(format_quantity(3.1, "MiB/s"), "3.10 MiB/s");
}

}  // namespace
}  // namespace twinbox::compare
