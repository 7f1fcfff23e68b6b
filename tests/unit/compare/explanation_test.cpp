#include "compare/explanation.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <regex>

#include "tests/unit/compare/sample_result.hpp"

namespace twinbox::compare {
namespace {

using sandbox::Mark;

std::vector<std::string> why(const Result& result, const std::string& engine,
                             const std::string& baseline) {
  for (const auto& item : summarise(result).explanations) {
    if (item.engine == engine && item.baseline == baseline) return item.sentences;
  }
  return {};
}

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// Of all shares that a sentence tells: what is added, less what is won back.
int sum_of_shares(const std::string& sentence) {
  int sum = 0;
  int sign = 1;
  const std::regex word("(makes up|adds|wins back)|([0-9]+) %");
  for (auto it = std::sregex_iterator(sentence.begin(), sentence.end(), word);
       it != std::sregex_iterator(); ++it) {
    if ((*it)[2].matched) {
      sum += sign * std::stoi((*it)[2]);
    } else {
      sign = (*it)[1] == "wins back" ? -1 : 1;
    }
  }
  return sum;
}

// A container whose workload answers late: the machine wins there what it has lost in its boot.
Result late_answer() {
  auto result = sample_result();
  for (auto& sample : result.starts) {
    if (sample.engine != "container") continue;
    for (auto& [mark, at] : sample.marks) {
      if (mark >= Mark::first_output) at += 200'000'000;
    }
  }
  return result;
}

TEST(Explain, NamesTheLargestPhasesAndTheRest) {
  const auto sentences = why(sample_result(), "vm", "container");
  ASSERT_EQ(sentences.size(), 1U);
  // 370 - 16 ms of boot against 5.1 - 1.9 ms, of 405.01 - 7.31 ms.
  EXPECT_TRUE(holds(sentences[0], "\"kernel boots\" makes up 88 % (35")) << sentences[0];
  EXPECT_TRUE(holds(sentences[0], "for \"root and cgroup\"")) << sentences[0];
  EXPECT_EQ(sum_of_shares(sentences[0]), 100) << sentences[0];
}

TEST(Explain, SaysWhatAPhaseWinsBack) {
  const auto sentences = why(late_answer(), "vm", "container");
  ASSERT_EQ(sentences.size(), 1U);
  // 350 ms of boot against 3.2 ms, and 3 ms of answering against 201 ms, of 193 ms.
  EXPECT_TRUE(holds(sentences[0], "\"kernel boots\" makes up 180 %")) << sentences[0];
  EXPECT_TRUE(holds(sentences[0], "; \"workload answers\" wins back 102 % (2.97 ms against 20"))
      << sentences[0];
  EXPECT_EQ(sum_of_shares(sentences[0]), 100) << sentences[0];
}

TEST(Explain, OfAnEngineThatIsFasterToo) {
  auto result = sample_result();
  for (auto& sample : result.starts) {
    if (sample.engine != "container") continue;
    for (auto& [mark, at] : sample.marks) {
      if (mark >= Mark::first_output) at += 900'000'000;
    }
  }
  const auto sentences = why(result, "vm", "container");
  ASSERT_EQ(sentences.size(), 1U);
  EXPECT_TRUE(holds(sentences[0], "that a microVM takes less than a container")) << sentences[0];
  EXPECT_TRUE(holds(sentences[0], "\"workload answers\" makes up")) << sentences[0];
  EXPECT_TRUE(holds(sentences[0], "\"kernel boots\" wins back")) << sentences[0];
  EXPECT_EQ(sum_of_shares(sentences[0]), 100) << sentences[0];
}

TEST(Explain, JoinsPhasesWhereEitherLacksTheMark) {
  for (const auto* const lacking : {"vm", "container"}) {
    auto result = sample_result();
    for (auto& sample : result.starts) {
      if (sample.engine == lacking) sample.marks.erase(Mark::created);
    }
    const auto sentences = why(result, "vm", "container");
    ASSERT_EQ(sentences.size(), 1U);
    EXPECT_TRUE(holds(sentences[0], "kernel boots\" makes up 92 %")) << sentences[0];
    EXPECT_EQ(sum_of_shares(sentences[0]), 100) << sentences[0];
  }
}

TEST(Explain, ExitsAreAPartOfThePhases) {
  auto result = sample_result();
  result.exits = {{"vm", "start-up", "boot", "io", 900, 20'000'000},
                  {"vm", "start-up", "boot", "mmio", 300, 10'000'000},
                  {"vm", "start-up", "run", "mmio", 9000, 90'000'000}};
  const auto sentences = why(result, "vm", "container");
  ASSERT_EQ(sentences.size(), 2U);
  EXPECT_TRUE(holds(sentences[1], "up to 8 % of the gap")) << sentences[1];
  EXPECT_TRUE(holds(sentences[1], "leaves the guest 1200 times, most of all for io (900)"))
      << sentences[1];
  EXPECT_TRUE(holds(sentences[1], "a part of the phases")) << sentences[1];
}

TEST(Explain, AGuestThatWaitsIsNoWorkOfExits) {
  auto result = sample_result();
  result.exits = {{"vm", "start-up", "boot", "io", 90, 2'000'000},
                  {"vm", "start-up", "boot", "hlt", 300, 300'000'000}};
  const auto sentences = why(result, "vm", "container");
  ASSERT_EQ(sentences.size(), 2U);
  EXPECT_TRUE(holds(sentences[1], "next to nothing")) << sentences[1];
  EXPECT_TRUE(holds(sentences[1], "the 300 times that it waits, hlt, are left out"))
      << sentences[1];
}

TEST(Explain, AWarmStartHasPhasesOfItsOwn) {
  auto result = sample_result();
  result.engines.back().settings.push_back({"start", "warm"});
  const auto sentences = why(result, "vm", "container");
  ASSERT_EQ(sentences.size(), 1U);
  EXPECT_TRUE(holds(sentences[0], "\"guest goes on\"")) << sentences[0];
}

TEST(Explain, SaysNothingWhereThereIsNoDifference) {
  auto result = sample_result();
  std::erase_if(result.starts, [](const auto& sample) { return sample.engine == "vm"; });
  const auto starts = result.starts;
  for (auto sample : starts) {
    if (sample.engine != "container") continue;
    sample.engine = "vm";
    result.starts.push_back(sample);
  }
  EXPECT_TRUE(why(result, "vm", "container").empty());
}

}  // namespace
}  // namespace twinbox::compare
