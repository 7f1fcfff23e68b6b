// The command `twinbox compare` as a user runs it, on this host's own kernel.
#include <map>

#include "tests/native/compare/compare_fixture.hpp"
#include "vmm/kvm/host_support.hpp"

namespace twinbox::compare {
namespace {

namespace fs = std::filesystem;
using sandbox::Mark;

TEST_F(CompareCommand, MeasuresProcessAndContainerNatively) {
  const auto run = twinbox({"compare", "--here", "--engines", "process,container", "--runs", "3",
                            "--warm-ups", "1", "--instances", "3", "--parallel", "2", "--beside",
                            "2", "--image-imports", "0", "--out", out().string()});
  ASSERT_EQ(run.status, 0) << run.err;
  EXPECT_NE(run.out.find("Start-up: request to ready"), std::string::npos) << run.out;
  EXPECT_NE(run.out.find((out() / "index.html").string()), std::string::npos) << run.out;
  EXPECT_TRUE(fs::exists(out() / "index.html"));

  const auto result = report();
  EXPECT_TRUE(result.failures.empty());
  EXPECT_EQ(result.host_of("container").kind, HostKind::native);
  EXPECT_FALSE(result.image_digest.empty());
  std::map<std::string, int> runs;
  for (const auto& sample : result.starts) {
    ++runs[sample.engine];
    for (const auto mark : {Mark::entered, Mark::created, Mark::executed, Mark::first_output,
                            Mark::ready, Mark::gone}) {
      EXPECT_TRUE(sample.marks.contains(mark)) << sample.engine << " " << to_string(mark);
      EXPECT_TRUE(sample.cpu_ns.contains(mark)) << sample.engine << " " << to_string(mark);
    }
  }
  EXPECT_EQ(runs,
            (std::map<std::string, int>{{"process", 4}, {"container", 4}, {"container-again", 4}}));
  ASSERT_EQ(result.density.size(), 2U);
  for (const auto& series : result.density) EXPECT_EQ(series.points.back().instances, 3);
  std::map<std::string, int> under_load;
  for (const auto& measured : result.measurements) {
    ++under_load[measured.engine + ", " + measured.metric];
    EXPECT_GT(measured.value, 0);
    EXPECT_EQ(measured.at, 2);
  }
  EXPECT_EQ(under_load, (std::map<std::string, int>{{"process, launch rate", 3},
                                                    {"process, start-up beside others", 15},
                                                    {"container, launch rate", 3},
                                                    {"container, start-up beside others", 15}}));
  for (const auto& memory : result.memory) {
    EXPECT_GT(memory.components.at("supervisor").pss, 0U);
    EXPECT_GT(memory.components.at("workload").pss, 0U);
  }
}

TEST_F(CompareCommand, RefusesAnEngineThatThereIsNot) {
  const auto run = twinbox({"compare", "--here", "--engines", "jail", "--out", out().string()});
  EXPECT_EQ(run.status, 125);
  EXPECT_NE(run.err.find("there is no engine 'jail'"), std::string::npos) << run.err;
  EXPECT_FALSE(fs::exists(out()));
}

TEST_F(CompareCommand, MeasuresNoOtherEngineInPlaceOfOurMonitor) {
  if (vmm::kvm::probe_host().runs_linux()) GTEST_SKIP() << "our monitor runs machines here";
  const auto run = twinbox({"compare", "--here", "--engines", "vm", "--out", out().string()});
  EXPECT_EQ(run.status, 125);
  EXPECT_NE(run.err.find("vm cannot be measured here"), std::string::npos) << run.err;
}

TEST_F(CompareCommand, TakesAPlanFromAFile) {
  const auto plan = out().parent_path() / "my-plan.json";
  base::write_file(plan, R"({"engines": ["process"], "runs": 2, "warm_ups": 0, "workload_runs": 2,
    "density": {"instances": 0}, "load": {"parallel": [], "beside": []}, "image_imports": 0,
    "workloads": [{"name": "mine", "command": ["sh", "-c", "echo 7 ops"],
                   "figure": "([0-9]+) ops", "unit": "ops", "better": "higher"}]})");
  const auto run = twinbox({"compare", "--here", "--out", out().string(), plan.string()});
  ASSERT_EQ(run.status, 0) << run.err;
  const auto result = report();
  EXPECT_TRUE(result.failures.empty());
  ASSERT_EQ(result.measurements.size(), 6U);  // with a warm-up, and of the repetition too
  EXPECT_EQ(result.measurements.front().value, 7);
  // The journal is gone with the report, and the plan that was carried out is beside it.
  EXPECT_FALSE(fs::exists(out() / "journal.jsonl"));
  EXPECT_TRUE(fs::exists(out() / "plan.json"));
}

TEST_F(CompareCommand, NamesTheFieldOfAPlanThatIsWrong) {
  const auto plan = out().parent_path() / "my-plan.json";
  base::write_file(plan, R"({"density": {"states": ["idle", 3]}})");
  const auto run = twinbox({"compare", "--out", out().string(), plan.string()});
  EXPECT_EQ(run.status, 125);
  EXPECT_NE(run.err.find("my-plan.json.density.states[1]"), std::string::npos) << run.err;
}

TEST_F(CompareCommand, RefusesNumbersThatAreNone) {
  for (const auto* const text : {"many", "-1", "3x"}) {
    const auto run = twinbox({"compare", "--here", std::string("--runs=") + text});
    EXPECT_EQ(run.status, 125) << text;
    EXPECT_NE(run.err.find("--runs"), std::string::npos) << run.err;
  }
}

}  // namespace
}  // namespace twinbox::compare
