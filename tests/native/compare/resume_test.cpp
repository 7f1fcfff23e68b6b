// A comparison that is killed goes on where it was.
#include <fmt/format.h>
#include <signal.h>

#include <chrono>
#include <random>
#include <thread>

#include "compare/instance.hpp"
#include "compare/journal.hpp"
#include "tests/native/compare/compare_fixture.hpp"

namespace twinbox::compare {
namespace {

using namespace std::chrono_literals;
using Lines = std::vector<std::string>;

// What tells a run from every other.
Lines runs_of(const Result& result) {
  Lines runs;
  for (const auto& sample : result.starts) {
    runs.push_back(
        fmt::format("{} {} {} {}", sample.workload, sample.block, sample.position, sample.engine));
  }
  for (const auto& done : result.measurements) {
    runs.push_back(fmt::format("{} {} {} {} {}", done.metric, done.engine, done.at.value_or(0),
                               done.block, done.position));
  }
  for (const auto& series : result.density) {
    runs.push_back(fmt::format("density {} {}", series.engine, series.points.size()));
  }
  return runs;
}

class Resume : public CompareCommand {
 protected:
  std::filesystem::path plan_file() const { return out().parent_path() / "my-plan.json"; }
  Lines command(const std::filesystem::path& directory) const {
    base::write_file(plan_file(), R"({"engines": ["process", "container"], "runs": 3, "warm_ups": 1,
      "seed": 5, "density": {"instances": 2, "states": ["idle", "touched"]},
      "load": {"parallel": [2], "launches": 2, "beside": [1], "beside_runs": 2, "rounds": 1},
      "image_imports": 2})");
    return {TWINBOX_PROGRAM, "compare",          "--here",
            "--out",         directory.string(), plan_file().string()};
  }
  static std::string text_of(const std::filesystem::path& file) {
    return std::filesystem::exists(file) ? base::read_file(file) : std::string();
  }
  // Up to its last whole line.
  static std::string whole_lines(std::string text) {
    const auto end = text.rfind('\n');
    text.resize(end == std::string::npos ? 0 : end + 1);
    return text;
  }
};

TEST_F(Resume, AfterKillsAtAnyPointEndsWithTheSameRuns) {
  const auto undisturbed = out().parent_path() / "undisturbed";
  ASSERT_EQ(base::run_command(command(undisturbed)).status, 0);
  const auto expected =
      result_from_json(base::read_file(undisturbed / "report.json"), "report.json");

  std::mt19937 random(std::random_device{}());
  std::uniform_int_distribution<int> delay(100, 900);
  const auto journal = out() / "journal.jsonl";
  std::string kept;
  int kills = 0;
  int status = -1;
  while (status != 0) {
    Instance run(command(out()), Instance::Input::none);
    // Five times; then it may come to its end.
    if (kills < 5) {
      std::this_thread::sleep_for(std::chrono::milliseconds(delay(random)));
      ::kill(run.pid(), SIGKILL);
      ++kills;
    }
    status = run.finish(120s).status;
    if (status == 0) break;
    ASSERT_EQ(status, 128 + SIGKILL) << run.errors();
    // What was finished before is there unchanged.
    const auto now = whole_lines(text_of(journal));
    ASSERT_TRUE(now.starts_with(kept));
    kept = now;
  }
  const auto result = report();
  EXPECT_TRUE(result.failures.empty()) << result.failures.front().message;
  EXPECT_EQ(runs_of(result), runs_of(expected));
  Result before;
  std::size_t from = kept.find('\n');
  for (++from; !kept.empty() && from < kept.size(); from = kept.find('\n', from) + 1) {
    read_part(kept.substr(from, kept.find('\n', from) - from), "journal", before);
  }
  ASSERT_LE(before.starts.size(), result.starts.size());
  for (std::size_t i = 0; i < before.starts.size(); ++i) {
    EXPECT_EQ(before.starts[i].marks, result.starts[i].marks) << i;
  }
  EXPECT_FALSE(std::filesystem::exists(journal));
}

TEST_F(Resume, IsRefusedWithAnotherImage) {
  Instance run(command(out()), Instance::Input::none);
  const auto journal = out() / "journal.jsonl";
  while (whole_lines(text_of(journal)).empty()) std::this_thread::sleep_for(5ms);
  ::kill(run.pid(), SIGKILL);
  ASSERT_EQ(run.finish(120s).status, 128 + SIGKILL) << run.errors();
  const auto kept = whole_lines(text_of(journal));

  const auto image = out().parent_path() / "image";
  base::write_file(image / "etc/another", "file");
  ASSERT_EQ(twinbox({"image", "import", "busybox", image.string()}).status, 0);
  const auto again = base::run_command(command(out()));
  EXPECT_EQ(again.status, 125);
  EXPECT_NE(again.err.find("(image busybox: sha256:"), std::string::npos) << again.err;
  EXPECT_NE(again.err.find("hint: finish it as it was begun"), std::string::npos) << again.err;
  EXPECT_TRUE(text_of(journal).starts_with(kept));
}

TEST_F(Resume, IsRefusedToAnotherPlan) {
  std::filesystem::create_directories(out());
  base::write_file(out() / "journal.jsonl", "{\"plan\":{},\"twinbox_version\":\"0\"}\n");
  const auto run = base::run_command(command(out()));
  EXPECT_EQ(run.status, 125);
  EXPECT_NE(run.err.find("another plan"), std::string::npos) << run.err;
}

}  // namespace
}  // namespace twinbox::compare
