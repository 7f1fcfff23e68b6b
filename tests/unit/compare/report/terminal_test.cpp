#include "compare/report/terminal.hpp"

#include <gtest/gtest.h>

#include <sstream>

#include "tests/unit/compare/sample_result.hpp"

namespace twinbox::compare {
namespace {

std::string line_with(const std::string& text, const std::string& part) {
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    if (line.find(part) != std::string::npos) return line;
  }
  return "no such line";
}

TEST(Terminal, HasAColumnForEveryEngine) {
  const auto head = line_with(render_terminal(sample_result()), "container  ");
  EXPECT_LT(head.find("process"), head.find("container"));
  EXPECT_LT(head.find("container"), head.find("vm"));
}

TEST(Terminal, ShowsStartUpOfEveryEngine) {
  const auto line = line_with(render_terminal(sample_result()), "request to ready");
  EXPECT_NE(line.find("ms ±"), std::string::npos);
  EXPECT_NE(line.find("40"), std::string::npos) << line;
}

TEST(Terminal, ShowsADashForComponentsThatAnEngineHasNot) {
  const auto line = line_with(render_terminal(sample_result()), "guest RAM");
  EXPECT_NE(line.find("46.0 MiB"), std::string::npos) << line;
  EXPECT_NE(line.find(" - "), std::string::npos) << line;
}

TEST(Terminal, LabelsTheLab) {
  auto result = sample_result();
  EXPECT_EQ(render_terminal(result).find("deterministic lab"), std::string::npos);
  result.hosts.front().kind = HostKind::deterministic_lab;
  const auto text = render_terminal(result);
  EXPECT_NE(text.find("deterministic lab"), std::string::npos);
  EXPECT_NE(text.find("executed instructions"), std::string::npos);
}

TEST(Terminal, SetsManyEnginesInSeveralTables) {
  const auto text = render_terminal(rich_result());
  EXPECT_NE(text.find("Redis SET, redis"), std::string::npos) << text;
  EXPECT_NE(text.find("90.8 k/s"), std::string::npos) << text;
  EXPECT_NE(text.find("measured on"), std::string::npos);
  std::size_t most = 0;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = text.find('\n', at);
    if (text.compare(at, 9, "Start-up:") == 0) most = std::max(most, end - at);
    at = end + 1;
  }
  // Five columns beside a label; "±" takes two bytes.
  EXPECT_LE(most, 34U + 5 * 23);
}

TEST(Terminal, ShowsWarningsAndNotWhatPassed) {
  auto result = sample_result();
  EXPECT_EQ(render_terminal(result).find("warn:"), std::string::npos);
  result.plan.warm_ups = 0;
  EXPECT_NE(render_terminal(result).find("warn: page cache"), std::string::npos);
}

TEST(Terminal, RendersAResultWithoutSamples) {
  EXPECT_NE(render_terminal(Result()).find("Nothing was measured"), std::string::npos);
}

}  // namespace
}  // namespace twinbox::compare
