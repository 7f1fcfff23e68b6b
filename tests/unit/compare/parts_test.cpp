#include "compare/parts.hpp"

#include <gtest/gtest.h>

#include "tests/unit/compare/sample_result.hpp"

namespace twinbox::compare {
namespace {

using Names = std::vector<std::string>;

Plan plan_of(Names engines) {
  Plan plan;
  plan.engines = std::move(engines);
  return plan;
}

TEST(Divide, KeepsEverythingTogetherWhereItCan) {
  const auto native = divide(plan_of({"process", "vm", "docker"}), false);
  EXPECT_EQ(native.native, (Names{"process", "vm", "docker"}));
  EXPECT_TRUE(native.lab.empty());
  const auto lab = divide(plan_of({"process", "vm-warm"}), true);
  EXPECT_EQ(lab.lab, (Names{"process", "vm-warm"}));
  EXPECT_TRUE(lab.native.empty());
}

TEST(Divide, GivesBothHostsTheBaseline) {
  const auto mixed = divide(plan_of({"process", "container", "vm", "docker"}), true);
  EXPECT_TRUE(mixed.is_mixed());
  EXPECT_EQ(mixed.lab, (Names{"process", "container", "vm"}));
  EXPECT_EQ(mixed.native, (Names{"process", "container", "docker"}));
}

TEST(LabPart, HasTheEnginesOwnNamesAgain) {
  auto result = sample_result();
  const auto starts = result.starts.size();
  rename_engines(result, lab_name);
  EXPECT_TRUE(result.engines.front().name.ends_with("@lab"));
  result.starts.push_back(sample_result().starts.front());  // of this host
  const auto part = lab_part(result);
  EXPECT_EQ(part.starts.size(), starts);
  for (const auto& sample : part.starts) EXPECT_EQ(sample.engine.find('@'), std::string::npos);
}

TEST(Merge, KeepsTheRowsOfBothApart) {
  auto lab = sample_result();
  lab.hosts.front().name = "lab";
  rename_engines(lab, lab_name);
  auto result = sample_result();
  const auto engines = result.engines.size();
  const auto starts = result.starts.size();
  merge(result, lab);
  EXPECT_EQ(result.engines.size(), 2 * engines);
  EXPECT_EQ(result.starts.size(), 2 * starts);
  EXPECT_EQ(result.workloads.size(), sample_result().workloads.size());
  EXPECT_EQ(result.hosts.size(), 2U);
}

TEST(Only, LeavesTheSettingsOfOthersOut) {
  auto plan = plan_of({"process", "container"});
  add_repetition(plan);
  EXPECT_TRUE(only(plan, {"process"}).settings.empty());
  EXPECT_EQ(only(plan, {"process"}).engines, (Names{"process"}));
}

}  // namespace
}  // namespace twinbox::compare
