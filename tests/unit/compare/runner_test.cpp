// The runner against a stand-in for the twinbox command: a script that takes the same arguments.
#include "compare/runner.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <algorithm>
#include <set>

#include "base/error.hpp"
#include "base/file.hpp"
#include "compare/summary.hpp"

namespace twinbox::compare {
namespace {

using sandbox::Mark;

// run --as ENGINE --memory M --cpus N [--marks FILE] IMAGE COMMAND...
constexpr const char* stand_in = R"(#!/bin/sh
[ "$1 $2" = "run --as" ] || exit 125
engine=$3
shift 3
while [ "${1#--}" != "$1" ]; do
  case $1 in
    --rm | --die-with-parent | --interactive) shift; continue ;;
    --marks) marks=$2 ;;
  esac
  shift 2
done
shift
case $engine in
  vm) printf 'twinbox: no machine here\nhint: get one\n' >&2; exit 125 ;;
esac
"$@"
status=$?
# A time that is long past, one that may stand, and none for the others.
[ -n "$marks" ] && echo '{"entered": 1, "executed": 9000000000000000000}' >"$marks"
exit $status
)";

class WithStandIn : public ::testing::Test {
 protected:
  void SetUp() override {
    base::write_file(program(), stand_in);
    ASSERT_EQ(::chmod(program().c_str(), 0755), 0);
    // All that is looked at of the image is that there is one.
    base::make_directories(directory_.path() / "images");
    base::write_file(directory_.path() / "images/index.json",
                     R"({"manifests": [{"digest": "sha256:1",
      "annotations": {"org.opencontainers.image.ref.name": "busybox"}}]})");
    ::setenv("TWINBOX_ROOT", directory_.path().c_str(), 1);
    plan_.warm_ups = 1;
    plan_.blocks = 3;
    plan_.density.limits = {{"process", 3}, {"container", 3}, {"vm", 3}};
    plan_.density.settle_ms = 1;
    plan_.timeout_s = 120;
    plan_.load = {.parallel = {}, .beside = {}};
    plan_.image_imports = 0;  // takes a store, which the stand-in has not
  }
  std::filesystem::path program() const { return directory_.path() / "twinbox"; }
  Result run() {
    Journal journal(finished_, [this](const std::string& line) { lines_.push_back(line); });
    Progress progress([this](const ProgressEvent& event) { progress_.push_back(event.text); });
    return Runner(plan_, program(), directory_.path(), journal, progress).run();
  }

  base::TemporaryDirectory directory_;
  Plan plan_;
  Result finished_;
  std::vector<std::string> lines_;
  std::vector<std::string> progress_;
};

TEST_F(WithStandIn, MeasuresWhatRunsAndListsWhatDoesNot) {
  const auto result = run();
  std::multiset<std::string> engines;
  for (const auto& sample : result.starts) engines.insert(sample.engine);
  EXPECT_EQ(engines.count("process"), 4U);
  EXPECT_EQ(engines.count("container"), 4U);
  EXPECT_EQ(engines.count("vm"), 0U);
  ASSERT_EQ(result.failures.size(), 1U);
  EXPECT_EQ(result.failures[0].engine, "vm");
  EXPECT_EQ(result.failures[0].message, "status 125: twinbox: no machine here");
}

TEST_F(WithStandIn, TimesEveryRunFromItsOwnRequest) {
  const auto result = run();
  for (const auto& sample : result.starts) {
    EXPECT_EQ(sample.marks.at(Mark::request), 0U);
    EXPECT_GT(sample.marks.at(Mark::first_output), 0U);
    EXPECT_GE(sample.marks.at(Mark::ready), sample.marks.at(Mark::first_output));
    EXPECT_GT(sample.marks.at(Mark::gone), sample.marks.at(Mark::ready));
  }
}

TEST_F(WithStandIn, TakesOnlyMarksThatCanBeTrue) {
  for (const auto& sample : run().starts) {
    // Stamped before the request, or never: absent, not guessed.
    EXPECT_FALSE(sample.marks.contains(Mark::entered));
    EXPECT_FALSE(sample.marks.contains(Mark::created));
    EXPECT_TRUE(sample.marks.contains(Mark::executed));
  }
}

TEST_F(WithStandIn, GrowsUpToTheBudget) {
  const auto result = run();
  ASSERT_EQ(result.density.size(), 2U);
  for (const auto& series : result.density) {
    ASSERT_EQ(series.points.size(), 4U) << series.engine;
    EXPECT_EQ(series.points.back().instances, 3);
    EXPECT_EQ(series.constraint, "instance budget");
  }
}

TEST_F(WithStandIn, StopsAtTheMemoryBudget) {
  plan_.density.limits = {{"process", 1000}, {"container", 1000}};
  // Any loss at all is too much; a host whose memory grows meanwhile stops somewhat later.
  plan_.density.memory_share = 1e-9;
  for (const auto& series : run().density) EXPECT_EQ(series.constraint, "memory budget");
}

TEST_F(WithStandIn, MeasuresMemoryAloneAndTogether) {
  const auto result = run();
  std::multiset<int> running;
  for (const auto& memory : result.memory) {
    EXPECT_GT(memory.total().pss, 0U);
    EXPECT_GT(memory.workload_view.at("MemTotal"), 0U);
    if (memory.engine == "process") running.insert(memory.running);
  }
  EXPECT_EQ(running, (std::multiset<int>{1, 3, 3, 3}));
}

TEST_F(WithStandIn, LeavesTheHostsCommandLineOut) {
  for (const auto& memory : run().memory) EXPECT_EQ(memory.kernel_command_line, "");
}

TEST_F(WithStandIn, MeasuresNothingWithoutAnImage) {
  plan_.workloads = {{.name = "disk", .args = {"fio"}, .image = "twinbox-fio"}};
  try {
    run();
    FAIL() << "it ran";
  } catch (const base::Error& error) {
    EXPECT_NE(error.message().find("'twinbox-fio'"), std::string::npos);
    EXPECT_NE(error.hint().find("make-workload-image twinbox-fio"), std::string::npos);
  }
  EXPECT_TRUE(lines_.empty());
}

TEST_F(WithStandIn, TellsHowFarItIs) {
  run();
  ASSERT_FALSE(progress_.empty());
  EXPECT_EQ(progress_.front(), "start-up: block 1 of at most 4 (warm-up), container");
}

// What identifies a run.
std::vector<std::string> runs_of(const Result& result) {
  std::vector<std::string> runs;
  for (const auto& sample : result.starts) {
    runs.push_back(
        fmt::format("{} {} {} {}", sample.workload, sample.block, sample.position, sample.engine));
  }
  for (const auto& series : result.density) runs.push_back("density " + series.engine);
  return runs;
}

TEST_F(WithStandIn, KeepsEachRunOnceItIsFinished) {
  const auto result = run();
  Result kept;
  for (const auto& line : lines_) read_part(line, "line", kept);
  EXPECT_EQ(runs_of(kept), runs_of(result));
  EXPECT_EQ(kept.failures.size(), 1U);
}

TEST_F(WithStandIn, GoesOnWhereItWasInterrupted) {
  const auto whole = run();
  const auto lines = lines_;
  // In the warm-up, between blocks, within one, after a failure, and during density.
  for (const std::size_t kept : {1U, 3U, 4U, 6U, 10U}) {
    ASSERT_LT(kept, lines.size());
    finished_ = {};
    lines_.clear();
    for (std::size_t i = 0; i < kept; ++i) read_part(lines[i], "line", finished_);
    const auto result = run();
    EXPECT_EQ(runs_of(result), runs_of(whole)) << kept;
    EXPECT_EQ(lines_.size(), lines.size() - kept);
    for (std::size_t i = 0; i < finished_.starts.size(); ++i) {
      EXPECT_EQ(result.starts[i].marks, finished_.starts[i].marks);
    }
  }
}

TEST_F(WithStandIn, BlamesNoEngineForSamplesThatCannotBeKept) {
  plan_.engines = {"process"};
  plan_.load = {.parallel = {1}, .launches = 1, .beside = {}, .rounds = 1};
  plan_.density.limits = {{"process", 1}};
  const auto whole = (run(), lines_.size());
  ASSERT_EQ(whole, 6U);  // 4 starts, the load, the growth
  for (std::size_t room = 0; room < whole; ++room) {
    lines_.clear();
    Journal journal({}, [&](const std::string& line) {
      if (lines_.size() == room) throw base::Error(base::ErrorKind::system, "the disk is full");
      lines_.push_back(line);
    });
    Progress progress([](const ProgressEvent&) {});
    try {
      Runner(plan_, program(), directory_.path(), journal, progress).run();
      ADD_FAILURE() << "it went on with room for " << room;
    } catch (const base::Error& error) {
      EXPECT_EQ(error.message(), "the disk is full");
    }
    EXPECT_TRUE(journal.finished().failures.empty()) << room;
  }
}

TEST_F(WithStandIn, TellsOnceOfAnEngineThatCannotBePrepared) {
  plan_.engines = {"process", "broken"};
  plan_.settings["broken"] = {.engine = "command", .command = {"/nonexistent/program"}};
  plan_.density.limits = {{"process", 0}};
  ASSERT_EQ(run().failures.size(), 1U);
  for (const auto& line : lines_) read_part(line, "line", finished_);
  lines_.clear();
  EXPECT_EQ(run().failures.size(), 1U);
  EXPECT_TRUE(lines_.empty());
}

TEST_F(WithStandIn, EndsWhenEveryIntervalIsNarrowEnough) {
  plan_.engines = {"process"};
  plan_.blocks = 50;
  plan_.least_blocks = 4;
  plan_.enough = 1000;  // of the median: anything is
  plan_.density.limits.clear();
  plan_.density.limits["process"] = 0;
  EXPECT_EQ(run().starts.size(), 5U);
}

class WithEnough : public WithStandIn {
 protected:
  void SetUp() override {
    WithStandIn::SetUp();
    plan_.engines = {"process", "container"};
    plan_.blocks = 50;
    plan_.least_blocks = 4;
    plan_.enough = 1.5;  // of the median
    plan_.density.limits = {{"process", 0}, {"container", 0}};
    // The one that comes first in the block in which the interruption is.
    for (const auto& step : schedule(plan_)) {
      if (step.block == 5 && step.position == 0) first_ = step.engine;
      if (step.block == 5 && step.position == 1) second_ = step.engine;
    }
  }
  // Runs that were finished before, so long that what is measured here adds nothing to the width.
  void finished(const std::string& engine, int block, std::uint64_t seconds) {
    StartSample sample;
    sample.engine = engine;
    sample.block = block;
    sample.warm_up = block == 0;
    sample.marks = {{Mark::request, 0}, {Mark::ready, seconds * 1'000'000'000U}};
    finished_.starts.push_back(sample);
  }

  std::string first_;
  std::string second_;
};

TEST_F(WithEnough, FinishesTheBlockInWhichItWasInterrupted) {
  for (int block = 0; block < 5; ++block) {
    finished(first_, block, block < 3 ? 10 : 1000);  // far too wide, without the fifth
    finished(second_, block, 500);
  }
  finished(first_, 5, 1000);
  const auto result = run();
  const auto in_block = [&](int block) {
    return std::ranges::count(result.starts, block, &StartSample::block);
  };
  EXPECT_EQ(in_block(5), 2);
  EXPECT_EQ(in_block(6), 0);
}

TEST_F(WithEnough, DoesNotWaitForAnEngineThatIsLeftOut) {
  for (int block = 0; block < 5; ++block) {
    finished(second_, block, 500);
    if (block < 4) finished(first_, block, block < 2 ? 10 : 1000);
  }
  finished_.failures.push_back({first_, "start-up", "it failed"});
  EXPECT_EQ(run().starts.size(), finished_.starts.size());
}

TEST_F(WithStandIn, MeasuresAWorkloadsOwnFigure) {
  plan_.engines = {"process"};
  plan_.workload_blocks = 2;
  plan_.workloads = {{.name = "mine",
                      .args = {"sh", "-c", "echo speed 12.5 km/h"},
                      .figure = "speed ([0-9.]+)",
                      .unit = "km/h",
                      .better = Better::higher},
                     {.name = "broken", .args = {"sh", "-c", "echo none"}, .figure = "(x)"}};
  const auto result = run();
  ASSERT_EQ(result.measurements.size(), 3U);  // with a warm-up
  EXPECT_EQ(result.measurements.back().value, 12.5);
  EXPECT_EQ(result.measurements.back().metric, "mine");
  ASSERT_EQ(result.metrics.size(), 2U);
  EXPECT_EQ(result.metrics[0].unit, "km/h");
  ASSERT_EQ(result.failures.size(), 1U);
  EXPECT_EQ(result.failures[0].stage, "broken");
  // It was left out of that only.
  EXPECT_EQ(result.density.size(), 1U);
}

TEST_F(WithStandIn, EndsTheLoadWhenEveryIntervalIsNarrowEnough) {
  plan_.engines = {"process"};
  plan_.enough = 1000;
  plan_.load = {.parallel = {2}, .launches = 2, .beside = {}, .rounds = 50, .least_rounds = 3};
  EXPECT_EQ(run().measurements.size(), 3U);
}

TEST_F(WithStandIn, StartsBesideNoMoreThanTheDensityMayReach) {
  plan_.engines = {"process"};
  plan_.load = {.parallel = {}, .beside = {3, 4}, .beside_runs = 1, .rounds = 1};
  const auto result = run();
  ASSERT_EQ(result.measurements.size(), 1U);
  EXPECT_EQ(result.measurements.front().at, 3);
}

TEST_F(WithStandIn, MeasuresUnderLoad) {
  plan_.engines = {"process"};
  plan_.load = {.parallel = {1, 2}, .launches = 4, .beside = {2}, .beside_runs = 2, .rounds = 1};
  const auto result = run();
  EXPECT_TRUE(result.failures.empty());
  std::multiset<std::string> found;
  for (const auto& measurement : result.measurements) {
    EXPECT_GT(measurement.value, 0);
    found.insert(fmt::format("{} {}", measurement.metric, measurement.at.value_or(-1)));
  }
  EXPECT_EQ(found,
            (std::multiset<std::string>{"launch rate 1", "launch rate 2",
                                        "start-up beside others 2", "start-up beside others 2"}));
}

}  // namespace
}  // namespace twinbox::compare
