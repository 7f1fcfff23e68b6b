#include "compare/audit.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/unit/compare/sample_result.hpp"

namespace twinbox::compare {
namespace {

AuditRow row_of(const Result& result, const std::string& check) {
  const auto rows = audit(result, summarise(result));
  const auto found = std::find_if(rows.begin(), rows.end(),
                                  [&](const AuditRow& row) { return row.check == check; });
  return found == rows.end() ? AuditRow{"missing", AuditState::fail, ""} : *found;
}

void set_fact(Result& result, const std::string& name, const std::string& value) {
  for (auto& fact : result.hosts.front().facts) {
    if (fact.name == name) fact.value = value;
  }
}

TEST(Audit, PassesAFairComparison) {
  const auto result = sample_result();
  for (const auto& row : audit(result, summarise(result))) {
    EXPECT_EQ(row.state, AuditState::pass) << row.check << ": " << row.detail;
  }
}

TEST(Audit, WarnsOfASerialConsole) {
  auto result = sample_result();
  for (auto& memory : result.memory) {
    if (memory.engine == "vm") memory.kernel_command_line = "console=ttyS0 quiet";
  }
  EXPECT_EQ(row_of(result, "consoles off").state, AuditState::warn);
}

TEST(Audit, WarnsWithoutANativeBaseline) {
  auto result = sample_result();
  result.plan.engines = {"container", "vm"};
  EXPECT_EQ(row_of(result, "native baseline").state, AuditState::warn);
}

TEST(Audit, WarnsOfAnUnknownDigest) {
  auto result = sample_result();
  result.image_digest.clear();
  EXPECT_EQ(row_of(result, "same image").state, AuditState::warn);
}

TEST(Audit, WarnsOfAnEmulatedHostAndOfANestedOne) {
  auto emulated = sample_result();
  emulated.hosts.front().kind = HostKind::deterministic_lab;
  EXPECT_NE(row_of(emulated, "host").detail.find("emulated"), std::string::npos);
  EXPECT_EQ(row_of(emulated, "host").state, AuditState::warn);
  auto nested = sample_result();
  set_fact(nested, "runs under a hypervisor", "yes");
  EXPECT_EQ(row_of(nested, "host").state, AuditState::warn);
}

TEST(Audit, WarnsOfABusyHost) {
  auto result = sample_result();
  set_fact(result, "load before", "3.20");
  EXPECT_EQ(row_of(result, "quiet host").state, AuditState::warn);
}

TEST(Audit, WarnsOfColdRuns) {
  auto result = sample_result();
  result.plan.warm_ups = 0;
  EXPECT_EQ(row_of(result, "page cache").state, AuditState::warn);
}

TEST(Audit, WarnsOfPageMerging) {
  auto result = sample_result();
  set_fact(result, "same-page merging", "on");
  EXPECT_EQ(row_of(result, "no page merging").state, AuditState::warn);
}

TEST(Audit, FailsWhenAnEngineIsMissing) {
  auto result = sample_result();
  result.failures.push_back({"vm", "density", "it died"});
  EXPECT_EQ(row_of(result, "every engine measured").state, AuditState::fail);
}

TEST(Audit, WarnsOfUnstableMedians) {
  auto result = sample_result();
  std::uint64_t factor = 1;
  for (auto& sample : result.starts) {
    if (sample.engine != "container") continue;
    for (const auto mark : {sandbox::Mark::ready, sandbox::Mark::gone})
      sample.marks[mark] *= factor;
    ++factor;
  }
  EXPECT_EQ(row_of(result, "stable medians").state, AuditState::warn);
}

}  // namespace
}  // namespace twinbox::compare
