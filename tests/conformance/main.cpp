// The conformance suite: one table, run with one engine. Usage: conformance_test --engine ENGINE
// [--start FLAGS-OF-RUN] [--standby MACHINES] [--programs DIRECTORY] [GoogleTest's flags]. It acts
// by the command `twinbox` alone.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <set>

#include "base/text.hpp"
#include "tests/conformance/suite.hpp"

namespace twinbox::conformance {
namespace {

std::unique_ptr<Suite> suite;

class CaseTest : public ::testing::Test {
 public:
  explicit CaseTest(Case given) : case_(std::move(given)) {}

  void TestBody() override {
    const auto result = suite->result_of(case_);
    EXPECT_EQ(result.out, case_.expected_of(suite->engine()))
        << "the script was:\n"
        << case_.script << "\nits status " << result.status << ", its errors:\n"
        << result.err;
  }

 private:
  Case case_;
};

// Those that GoogleTest's filter has left.
std::vector<Case> selected_cases() {
  std::set<std::string> wanted;
  const auto& all = *::testing::UnitTest::GetInstance();
  for (int group = 0; group < all.total_test_suite_count(); ++group) {
    const auto& tests = *all.GetTestSuite(group);
    for (int at = 0; at < tests.total_test_count(); ++at) {
      const auto& info = *tests.GetTestInfo(at);
      if (info.should_run()) wanted.insert(std::string(info.test_suite_name()) + "." + info.name());
    }
  }
  std::vector<Case> cases;
  for (auto& given : all_cases()) {
    if (wanted.contains(std::string(given.area) + "." + std::string(given.name))) {
      cases.push_back(given);
    }
  }
  return cases;
}

class WholeSuite : public ::testing::Environment {
 public:
  WholeSuite(std::string engine, std::string start, std::string programs, unsigned standby)
      : engine_(std::move(engine)),
        start_(std::move(start)),
        programs_(std::move(programs)),
        standby_(standby) {}

  void SetUp() override {
    suite = std::make_unique<Suite>(engine_, start_, programs_);
    if (standby_ > 0) suite->keep_on_standby(standby_);
    suite->begin(selected_cases(), engine_ == "container" ? 4 : 3);
  }
  void TearDown() override {
    if (standby_ > 0) {
      EXPECT_GE(suite->taken_from_standby(), 2 * standby_);
    }
    EXPECT_EQ(suite->remove_everything(), "") << "boxes that could not be removed";
    suite.reset();
  }

 private:
  std::string engine_;
  std::string start_;
  std::string programs_;
  unsigned standby_;
};

TEST(Table, DiffersByEngineInAtMostFiveCases) {
  const auto cases = all_cases();
  EXPECT_GE(cases.size(), 120U);
  EXPECT_LE(
      std::ranges::count_if(cases, [](const Case& given) { return !given.deviations.empty(); }), 5);
}

void register_cases() {
  for (const auto& given : all_cases()) {
    ::testing::RegisterTest(std::string(given.area).c_str(), std::string(given.name).c_str(),
                            nullptr, nullptr, __FILE__, __LINE__,
                            [given]() -> CaseTest* { return new CaseTest(given); });
  }
}

}  // namespace

std::vector<Case> all_cases() {
  std::vector<Case> all;
  for (auto more :
       {stream_cases(), process_cases(), isolation_cases(), limit_cases(), terminal_cases(),
        exec_cases(), life_cycle_cases(), report_cases(), file_cases()}) {
    all.insert(all.end(), more.begin(), more.end());
  }
  return all;
}

}  // namespace twinbox::conformance

int main(int count, char** words) {
  ::testing::InitGoogleTest(&count, words);
  std::string engine = "container";
  std::string start;
  unsigned standby = 0;
  std::string programs = std::filesystem::path(words[0]).parent_path();
  for (int at = 1; at + 1 < count; at += 2) {
    const std::string flag = words[at];
    if (flag == "--engine") engine = words[at + 1];
    if (flag == "--start") start = words[at + 1];
    if (flag == "--standby")
      standby = twinbox::base::parse_number<unsigned>(words[at + 1]).value_or(0);
    if (flag == "--programs") programs = std::string(words[at + 1]) + ":" + programs;
  }
  if (::geteuid() != 0) return 77;  // ctest's skip: boxes need root
  twinbox::conformance::register_cases();
  ::testing::AddGlobalTestEnvironment(
      new twinbox::conformance::WholeSuite(engine, start, programs, standby));
  return RUN_ALL_TESTS();
}
