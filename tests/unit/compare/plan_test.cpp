#include "compare/plan.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/error.hpp"

namespace twinbox::compare {
namespace {

std::vector<std::string> engines_of(const std::vector<Step>& steps) {
  std::vector<std::string> engines;
  for (const auto& step : steps) engines.push_back(step.engine);
  return engines;
}

TEST(Schedule, EveryBlockHoldsEveryEngineOnce) {
  const Plan plan;
  std::map<int, std::multiset<std::string>> blocks;
  for (const auto& step : schedule(plan)) blocks[step.block].insert(step.engine);
  ASSERT_EQ(blocks.size(), static_cast<std::size_t>(plan.warm_ups + plan.blocks));
  for (const auto& [block, engines] : blocks) {
    EXPECT_EQ(engines, (std::multiset<std::string>{"container", "process", "vm"})) << block;
  }
}

TEST(Schedule, TheFirstBlocksAreWarmUps) {
  Plan plan;
  plan.warm_ups = 2;
  for (const auto& step : schedule(plan)) EXPECT_EQ(step.warm_up, step.block < 2) << step.block;
}

TEST(Schedule, IsTheSameForTheSameSeed) {
  Plan plan;
  plan.seed = 7;
  EXPECT_EQ(engines_of(schedule(plan)), engines_of(schedule(plan)));
}

TEST(Schedule, IsAnotherForAnotherSeed) {
  Plan one;
  Plan other;
  other.seed = one.seed + 1;
  EXPECT_NE(engines_of(schedule(one)), engines_of(schedule(other)));
}

TEST(Schedule, EveryEngineComesFirstInSomeBlocks) {
  std::set<std::string> first;
  for (const auto& step : schedule(Plan())) {
    if (step.position == 0) first.insert(step.engine);
  }
  EXPECT_EQ(first.size(), 3U);
}

TEST(Schedule, IsWrittenDownForSeed1) {
  // The order is part of what a seed promises: it must not change with a compiler or a library.
  Plan plan;
  plan.warm_ups = 0;
  plan.blocks = 2;
  EXPECT_EQ(engines_of(schedule(plan)),
            (std::vector<std::string>{"container", "vm", "process", "vm", "process", "container"}));
}

TEST(ImportSchedule, HoldsEveryEngineOnceInEachRoundAndNoRepetition) {
  Plan plan;
  plan.image_imports = 2;
  add_repetition(plan);
  std::map<int, std::multiset<std::string>> rounds;
  for (const auto& step : schedule_imports(plan)) {
    rounds[step.block].insert(step.engine);
    EXPECT_EQ(step.warm_up, step.block == 0);
  }
  ASSERT_EQ(rounds.size(), 3U);
  for (const auto& [round, engines] : rounds) {
    EXPECT_EQ(engines, (std::multiset<std::string>{"container", "process", "vm"})) << round;
  }
}

TEST(ImportSchedule, IsEmptyWhereNoneAreWanted) {
  Plan plan;
  plan.image_imports = 0;
  EXPECT_TRUE(schedule_imports(plan).empty());
  plan.image_imports = -1;
  EXPECT_THROW(check(plan), base::Error);
}

TEST(ImportSchedule, IsLongerWhereFiguresAreToBeQuoted) {
  EXPECT_EQ(quick_plan().image_imports, 3);
  EXPECT_EQ(Plan().image_imports, 5);
  EXPECT_EQ(publish_plan().image_imports, 10);
}

TEST(MostInstances, AreOfTheNameElseOfTheEngineElseOfItsKind) {
  Plan plan;
  plan.density.limits = {{"process", 1}, {"container", 2}, {"vm", 3}};
  plan.settings["mine"] = {.engine = "command", .command = {"mine"}};
  EXPECT_EQ(plan.most_instances("process"), 1);
  EXPECT_EQ(plan.most_instances("docker"), 2);
  EXPECT_EQ(plan.most_instances("mine"), 2);
  for (const auto* const machine : {"vm", "vm-warm", "vm-cold", "vm-tuned", "vm-stock", "qemu"}) {
    EXPECT_EQ(plan.most_instances(machine), 3) << machine;
  }
  plan.density.limits["qemu"] = 4;
  plan.density.limits["vm-warm"] = 5;
  EXPECT_EQ(plan.most_instances("qemu"), 4);
  EXPECT_EQ(plan.most_instances("vm-warm"), 5);
  EXPECT_EQ(plan.most_instances("vm-cold"), 3);
  plan.density.limits = {{"process", 7}};
  EXPECT_EQ(plan.most_instances("vm-cold"), DensityPlan().limits.at("vm"));
}

std::string refusal(const Plan& plan) {
  try {
    check(plan);
  } catch (const base::Error& error) {
    EXPECT_EQ(error.kind(), base::ErrorKind::usage);
    return error.message();
  }
  return "accepted";
}

TEST(DensityOrder, HoldsEveryEngineAndIgnoresTheNumberOfBlocks) {
  Plan plan;
  auto order = density_order(plan, "idle", 0);
  plan.blocks = 3;
  plan.density.repeats = 7;
  EXPECT_EQ(density_order(plan, "idle", 0), order);
  std::sort(order.begin(), order.end());
  EXPECT_EQ(order, (std::vector<std::string>{"container", "process", "vm"}));
}

TEST(DensityOrder, IsAnotherOneForEachGrowthAndForEachSeed) {
  Plan plan;
  std::set<std::vector<std::string>> by_repeat;
  std::set<std::vector<std::string>> by_state;
  std::set<std::vector<std::string>> by_seed;
  for (int i = 0; i < 20; ++i) {
    by_repeat.insert(density_order(plan, "idle", i));
    by_state.insert(density_order(plan, "state" + std::to_string(i), 0));
    plan.seed = static_cast<std::uint64_t>(i);
    by_seed.insert(density_order(plan, "idle", 0));
    plan.seed = 1;
  }
  EXPECT_GT(by_repeat.size(), 3U);
  EXPECT_GT(by_state.size(), 3U);
  EXPECT_GT(by_seed.size(), 3U);
}

TEST(CheckPlan, RefusesAWorkloadWithTheNameOfAMetric) {
  for (const auto* const name :
       {"tear-down", "launch rate", "image import", "CPU time", "memory of one instance"}) {
    Plan plan;
    plan.workloads = {{.name = name, .args = {"true"}}};
    EXPECT_NE(refusal(plan).find("has the name of a metric"), std::string::npos) << name;
  }
}

TEST(LoadOrder, IsAnotherOneInEachRound) {
  const Plan plan;
  std::set<std::vector<std::string>> orders;
  for (int round = 0; round < 20; ++round) orders.insert(load_order(plan, round));
  EXPECT_GT(orders.size(), 3U);
  EXPECT_EQ(load_order(plan, 3), load_order(plan, 3));
}

TEST(CheckPlan, RefusesUnknownEnginesByName) {
  Plan plan;
  plan.engines = {"container", "jail"};
  EXPECT_NE(refusal(plan).find("'jail'"), std::string::npos);
}

TEST(CheckPlan, RefusesAnEngineNamedTwice) {
  Plan plan;
  plan.engines = {"vm", "vm"};
  EXPECT_NE(refusal(plan).find("twice"), std::string::npos);
}

TEST(CheckPlan, RefusesPlansThatMeasureNothing) {
  Plan without_engines;
  without_engines.engines.clear();
  EXPECT_NE(refusal(without_engines), "accepted");
  Plan without_blocks;
  without_blocks.blocks = 0;
  EXPECT_NE(refusal(without_blocks), "accepted");
}

TEST(Repetition, IsOfTheContainerAndNeverTwice) {
  Plan plan;
  add_repetition(plan);
  add_repetition(plan);
  EXPECT_EQ(plan.engines,
            (std::vector<std::string>{"process", "container", "vm", "container-again"}));
  EXPECT_EQ(plan.settings_of("container-again").engine, "container");
  EXPECT_EQ(plan.settings_of("container-again").repeats, "container");
  EXPECT_EQ(load_order(plan, 0).size(), 3U);
  EXPECT_EQ(refusal(plan), "accepted");
}

TEST(Settings, FollowFromAShortName) {
  const Plan plan;
  EXPECT_EQ(plan.settings_of("vm-warm").engine, "vm");
  EXPECT_EQ(plan.settings_of("vm-warm").start, "warm");
  EXPECT_EQ(plan.settings_of("vm-stock").kernel, "stock");
  EXPECT_EQ(plan.settings_of("docker").engine, "docker");
}

TEST(Schedule, OfAWorkloadDoesNotDependOnTheOthers) {
  Plan plan;
  plan.workloads = {{.name = "a", .args = {"a"}}, {.name = "b", .args = {"b"}}};
  const auto alone = engines_of(schedule(plan, plan.workloads[1]));
  plan.workloads.erase(plan.workloads.begin());
  EXPECT_EQ(engines_of(schedule(plan, plan.workloads[0])), alone);
  EXPECT_NE(engines_of(schedule(plan, {.name = "c", .args = {"b"}})), alone);
}

TEST(CheckPlan, RefusesWhatMakesNoSense) {
  Plan plan;
  plan.settings["container"] = {.engine = "container", .start = "warm"};
  EXPECT_NE(refusal(plan).find("only vm has"), std::string::npos);
  plan = {};
  plan.density.states = {"asleep"};
  EXPECT_NE(refusal(plan).find("'asleep'"), std::string::npos);
  plan = {};
  plan.workloads = {{.name = "idle", .args = {"a"}}};
  EXPECT_NE(refusal(plan).find("twice"), std::string::npos);
  plan = {};
  plan.memory = "lots";
  EXPECT_NE(refusal(plan).find("memory"), std::string::npos);
}

TEST(CheckPlan, AcceptsTheDefaults) {
  EXPECT_EQ(refusal(Plan()), "accepted");
  EXPECT_EQ(refusal(quick_plan()), "accepted");
  EXPECT_EQ(refusal(publish_plan()), "accepted");
}

}  // namespace
}  // namespace twinbox::compare
