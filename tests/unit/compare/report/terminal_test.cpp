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

TEST(Terminal, ShowsWarningsAndNamesWhatPassed) {
  auto result = sample_result();
  EXPECT_EQ(render_terminal(result).find("warn:"), std::string::npos);
  const auto passed = line_with(render_terminal(result), "pass: ");
  EXPECT_NE(passed.find("page cache"), std::string::npos) << passed;
  result.plan.warm_ups = 0;
  EXPECT_NE(render_terminal(result).find("warn: page cache"), std::string::npos);
  EXPECT_EQ(line_with(render_terminal(result), "pass: ").find("page cache"), std::string::npos);
}

TEST(Terminal, PrintsVirtualAndResidentSeparately) {
  auto result = sample_result();
  for (auto& memory : result.memory) {
    if (memory.engine == "container") memory.cgroup_bytes = {{"kernel", 96U << 10U}};
  }
  const auto text = render_terminal(result);
  EXPECT_NE(line_with(text, "  RSS").find("53.0 MiB"), std::string::npos) << text;
  EXPECT_NE(line_with(text, "  USS").find("MiB"), std::string::npos) << text;
  EXPECT_NE(line_with(text, "  virtual").find("149.0 MiB"), std::string::npos) << text;
  EXPECT_NE(line_with(text, "control group, kernel").find("96.0 KiB"), std::string::npos) << text;
}

// Of three growths one fails early: what it reached stands beside what it failed by.
TEST(Terminal, ShowsTheInstancesThatEveryGrowthReached) {
  auto result = sample_result();
  auto again = result.density.at(1);
  again.repeat = 1;
  again.points.resize(5);
  again.constraint = "out of memory";
  again.stopped_by_budget = false;
  result.density.push_back(again);
  const auto text = render_terminal(result);
  EXPECT_NE(line_with(text, "every growth reached").find("4, out of memory"), std::string::npos)
      << text;
  EXPECT_NE(text.find("; 4 containers, failed: out of memory; 6 plain processes, instance budget."),
            std::string::npos)
      << text;
}

TEST(Terminal, SaysWhereASlopeIsNotLinear) {
  auto result = sample_result();
  for (auto& point : result.density.at(1).points) {
    point.available_bytes =
        (3000ULL << 20U) - (static_cast<std::uint64_t>(point.instances * point.instances) << 16U);
  }
  EXPECT_NE(line_with(render_terminal(result), "one figure").find("not linear"), std::string::npos);
}

TEST(Terminal, ObeysNoTextOfAReport) {
  auto result = sample_result();
  result.plan.image = "busy\x1b[2Jbox";
  result.engines.at(1).title =
      "\x1b]0;owned\x07"
      "container";
  result.failures = {{"vm", "density", "\x1b[31mred\nfail: fairness: forged"}};
  result.audit = {{"odd\x1b[1m", AuditState::warn, "a\rb"}};
  const auto text = render_terminal(result);
  for (const char c : text) EXPECT_TRUE(c == '\n' || static_cast<unsigned char>(c) >= 0x20);
  EXPECT_EQ(text.find("\nfail: fairness"), std::string::npos);
}

TEST(Terminal, RendersAResultWithoutSamples) {
  EXPECT_NE(render_terminal(Result()).find("Nothing was measured"), std::string::npos);
}

}  // namespace
}  // namespace twinbox::compare
