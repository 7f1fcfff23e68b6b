// The command `twinbox compare` as a user runs it, on this host's own kernel.
#include "base/command.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <map>

#include "base/file.hpp"
#include "compare/result.hpp"

namespace twinbox::compare {
namespace {

namespace fs = std::filesystem;
using sandbox::Mark;

fs::path busybox() { return fs::exists("/bin/busybox") ? "/bin/busybox" : "/usr/bin/busybox"; }

class CompareCommand : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "making boxes takes root privileges";
    ::setenv("TWINBOX_ROOT", (directory_.path() / "data").c_str(), 1);
    import_image();
  }
  base::CommandResult twinbox(std::vector<std::string> args) const {
    args.insert(args.begin(), TWINBOX_PROGRAM);
    return base::run_command(args);
  }
  fs::path out() const { return directory_.path() / "out"; }
  Result report() const {
    return result_from_json(base::read_file(out() / "report.json"), "report.json");
  }

 private:
  void import_image() const {
    const auto root = directory_.path() / "image";
    for (const auto* const name : {"bin", "dev", "etc", "proc", "sys", "tmp"}) {
      fs::create_directories(root / name);
    }
    fs::copy_file(busybox(), root / "bin/busybox");
    for (const auto* const name : {"sh", "cat"}) fs::create_symlink("busybox", root / "bin" / name);
    const auto imported = twinbox({"image", "import", "busybox", root.string()});
    ASSERT_EQ(imported.status, 0) << imported.err;
  }

  base::TemporaryDirectory directory_;
};

TEST_F(CompareCommand, MeasuresProcessAndContainerNatively) {
  const auto run = twinbox({"compare", "--here", "--engines", "process,container", "--runs", "3",
                            "--warm-ups", "1", "--instances", "3", "--out", out().string()});
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
    }
  }
  EXPECT_EQ(runs, (std::map<std::string, int>{{"process", 4}, {"container", 4}}));
  ASSERT_EQ(result.density.size(), 2U);
  for (const auto& series : result.density) EXPECT_EQ(series.points.back().instances, 3);
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

TEST_F(CompareCommand, RefusesNumbersThatAreNone) {
  for (const auto* const text : {"many", "-1", "3x"}) {
    const auto run = twinbox({"compare", "--here", std::string("--runs=") + text});
    EXPECT_EQ(run.status, 125) << text;
    EXPECT_NE(run.err.find("--runs"), std::string::npos) << run.err;
  }
}

}  // namespace
}  // namespace twinbox::compare
