#include "cli/run_options.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/size.hpp"

namespace twinbox::cli {
namespace {

using Words = std::vector<std::string>;

class RunOptionsTest : public testing::Test {
 protected:
  RunOptionsTest() {
    image_.name = "sample";
    image_.root.directories.push_back(directory_.path());
  }

  // The workload of `twinbox run ARGUMENTS`.
  sandbox::Spec spec(const Words& arguments) {
    RunOptions run;
    Options options("run", "Runs.");
    run.declare(options);
    run.take_words(options.parse(arguments), options);
    return make_spec(run, image_);
  }
  std::string refusal(const Words& arguments) {
    try {
      spec(arguments);
    } catch (const base::Error& error) {
      EXPECT_FALSE(error.hint().empty()) << error.message();
      return error.message();
    }
    ADD_FAILURE() << "accepted";
    return {};
  }
  std::string refusal_of(const std::string& flag, const std::string& value) {
    return refusal({flag, value, "sample", "true"});
  }

  base::TemporaryDirectory directory_;
  image::PreparedImage image_;
};

TEST_F(RunOptionsTest, MakeTheWorkload) {
  const auto made =
      spec({"--memory", "64m", "--cpus", "1.5", "--pids-limit", "20", "-e", "A=1", "-w", "/tmp",
            "-u", "7:8", "--hostname", "box", "--read-only", "sample", "sh", "-c", "exit 3"});
  EXPECT_EQ(made.process.args, (Words{"sh", "-c", "exit 3"}));
  EXPECT_EQ(made.resources.memory_bytes, 64 * base::mebibyte);
  EXPECT_DOUBLE_EQ(made.resources.cpus.value(), 1.5);
  EXPECT_EQ(made.resources.pids, 20);
  EXPECT_EQ(std::ranges::count(made.process.env, "A=1"), 1);
  EXPECT_EQ(made.process.cwd, "/tmp");
  EXPECT_EQ(made.process.user.uid, 7U);
  EXPECT_EQ(made.process.user.gid, 8U);
  EXPECT_EQ(made.hostname, "box");
  EXPECT_TRUE(made.root_readonly);
}

TEST_F(RunOptionsTest, LimitNothingUnlessAsked) {
  const auto made = spec({"sample", "true"});
  EXPECT_FALSE(made.resources.memory_bytes);
  EXPECT_FALSE(made.resources.cpus);
  EXPECT_FALSE(made.resources.pids);
  EXPECT_FALSE(made.root_readonly);
}

TEST_F(RunOptionsTest, TakeAVariableFromTheCaller) {
  ::setenv("TWINBOX_TEST_VARIABLE", "own", 1);
  ::unsetenv("TWINBOX_TEST_ABSENT");
  const auto env =
      spec({"-e", "TWINBOX_TEST_VARIABLE", "-e", "TWINBOX_TEST_ABSENT", "sample", "true"})
          .process.env;
  EXPECT_EQ(std::ranges::count(env, "TWINBOX_TEST_VARIABLE=own"), 1);
  EXPECT_FALSE(std::ranges::any_of(env, [](const std::string& variable) {
    return variable.starts_with("TWINBOX_TEST_ABSENT");
  }));
}

TEST_F(RunOptionsTest, NameTheFlagWhoseValueMakesNoSense) {
  for (const auto* const size : {"x", "-1m", "64q", "1m", "5m"}) {
    EXPECT_NE(refusal_of("--memory", size).find("--memory"), std::string::npos) << size;
  }
  for (const auto* const cpus : {"0", "-1", "nan", "inf", "two", "1e9", "1x"}) {
    EXPECT_NE(refusal_of("--cpus", cpus).find("--cpus"), std::string::npos) << cpus;
  }
  for (const auto* const pids : {"0", "-1", "many", "1.5"}) {
    EXPECT_NE(refusal_of("--pids-limit", pids).find("--pids-limit"), std::string::npos) << pids;
  }
  EXPECT_NE(refusal_of("-w", "tmp").find("-w"), std::string::npos);
  EXPECT_NE(refusal_of("-e", "=value").find("-e"), std::string::npos);
  EXPECT_NE(refusal_of("--hostname", "a b").find("--hostname"), std::string::npos);
  EXPECT_NE(refusal_of("--hostname", std::string(65, 'a')).find("--hostname"), std::string::npos);
  EXPECT_NE(refusal_of("-u", "nobody").find("nobody"), std::string::npos);
  EXPECT_NE(refusal_of("--kernel", "/boot/vmlinuz").find("--kernel"), std::string::npos);
}

TEST_F(RunOptionsTest, NameAKernelThatIsNotThere) {
  EXPECT_NE(refusal({"--as", "vm", "--kernel", "/no/kernel", "sample", "true"}).find("/no/kernel"),
            std::string::npos);
}

TEST_F(RunOptionsTest, AskForAnImageAndACommand) {
  EXPECT_NE(refusal({}).find("which image"), std::string::npos);
  EXPECT_NE(refusal({"sample"}).find("no command"), std::string::npos);
}

}  // namespace
}  // namespace twinbox::cli
