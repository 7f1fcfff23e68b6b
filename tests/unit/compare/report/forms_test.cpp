// The report as CSV and as Markdown.
#include <gtest/gtest.h>

#include <algorithm>

#include "compare/report/csv.hpp"
#include "compare/report/markdown.hpp"
#include "compare/report/quantity.hpp"
#include "compare/report/text.hpp"
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
  EXPECT_NE(text.find("| Start-up | microVM | this host | 121 ms |"), std::string::npos) << text;
  EXPECT_NE(text.find("| fail | same kernel | bzImage against vmlinux |"), std::string::npos);
  EXPECT_NE(text.find("| launch rate at 4 | container | plain process |"), std::string::npos);
  EXPECT_NE(text.find("executed instructions"), std::string::npos);
}

TEST(Markdown, NamesMetricsAsThePageDoes) {
  const auto text = render_markdown(rich_result());
  EXPECT_NE(text.find("| Redis SET, redis | microVM |"), std::string::npos) << text;
  EXPECT_NE(text.find("| Memory of one instance | microVM |"), std::string::npos);
}

TEST(Markdown, TellsTheRunThatRepeatsAnotherApart) {
  auto result = rich_result();
  for (auto& engine : result.engines) {
    if (!engine.repeats.empty()) engine.title = "container";
  }
  EXPECT_NE(render_markdown(result).find("| Start-up | container, again (A/A) | this host |"),
            std::string::npos);
}

TEST(Markdown, CountsOneOutlier) {
  auto result = sample_result();
  result.starts.back().marks[sandbox::Mark::ready] += 300'000'000;
  result.starts.back().marks[sandbox::Mark::gone] += 300'000'000;
  const auto text = render_markdown(result);
  EXPECT_NE(text.find("1 outlier |"), std::string::npos) << text;
  EXPECT_EQ(text.find("1 outliers"), std::string::npos);
}

TEST(Markdown, BreaksMemoryDown) {
  auto result = sample_result();
  for (auto& memory : result.memory) {
    if (memory.engine == "container") memory.cgroup_bytes = {{"anon", 700U << 10U}};
  }
  const auto text = render_markdown(result);
  EXPECT_NE(text.find("| engine | part | PSS | USS | RSS | virtual |"), std::string::npos);
  EXPECT_NE(
      text.find("| microVM, alone | guest RAM | 46.0 MiB | 45.0 MiB | 46.0 MiB | 128.0 MiB |"),
      std::string::npos)
      << text;
  EXPECT_NE(text.find("| microVM, alone | all of it |"), std::string::npos);
  EXPECT_NE(text.find("| container, alone | 2 | 700.0 KiB | - |"), std::string::npos);
}

TEST(Markdown, HasTheSlopesWithWhatTheyAreWorth) {
  auto result = sample_result();
  auto& points = result.density.at(1).points;
  for (auto& point : points) {
    point.available_bytes =
        (3000ULL << 20U) - (static_cast<std::uint64_t>(point.instances * point.instances) << 16U);
  }
  const auto text = render_markdown(result);
  EXPECT_NE(text.find("| not linear, unstable | 6 | instance budget | - |"), std::string::npos)
      << text;
}

TEST(Markdown, LeavesOutHostsThatNothingWasMeasuredOn) {
  auto result = sample_result();
  result.hosts.push_back({"unused host", HostKind::native, {{"processor", "Other"}}});
  const auto text = render_markdown(result);
  EXPECT_EQ(text.find("unused host"), std::string::npos);
  EXPECT_NE(text.find("### this host (native)"), std::string::npos);
}

TEST(Markdown, CannotBeBrokenByAText) {
  auto result = sample_result();
  result.plan.image = "busy\n# <b>box";
  result.command = "twinbox compare `id`\n## more";
  result.hosts.front().name = "a <script>\nhost";
  for (auto& engine : result.engines) engine.host = result.hosts.front().name;
  result.audit = {{"odd", AuditState::warn, "a | b\nc"}};
  result.failures = {{"vm", "density", "<img src=x>\n\n# heading \x1b[31m[link](x)"}};
  const auto text = render_markdown(result);
  EXPECT_NE(text.find("| odd | a \\| b c |"), std::string::npos);
  EXPECT_TRUE(text.starts_with("# busy # &lt;b>box compared\n"));
  EXPECT_EQ(text.find('<'), std::string::npos);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_EQ(text.find("\n# heading"), std::string::npos);
  EXPECT_NE(text.find("\\[link](x)"), std::string::npos);
  EXPECT_NE(text.find("with `` twinbox compare `id` ## more ``, seed"), std::string::npos);
}

TEST(Printable, LeavesControlCharactersOut) {
  EXPECT_EQ(printable("a\x1b[31mb\nc\x07\x7f"), "a[31mb c");
  EXPECT_EQ(printable("\u009b2J 5 µs ± 1 %"), "2J 5 µs ± 1 %");
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
