#include "cli/options.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"

namespace twinbox::cli {
namespace {

using Words = std::vector<std::string>;

class OptionsTest : public testing::Test {
 protected:
  OptionsTest() {
    options_.flag("quiet,q", "say less", quiet_);
    options_.value("memory,m", "SIZE", "limit", memory_);
    options_.values("env,e", "KEY=VALUE", "variable", env_);
  }
  std::string refusal(const Words& arguments) {
    try {
      options_.parse(arguments);
    } catch (const base::Error& error) {
      EXPECT_EQ(error.hint(), "see: twinbox help run");
      return error.message();
    }
    return "accepted";
  }

  Options options_{"run [FLAGS] IMAGE", "Runs."};
  bool quiet_ = false;
  std::string memory_;
  Words env_;
};

TEST(Options, LeaveTheLetterOfHelpToAVerbThatHasAnotherUseForIt) {
  std::string name;
  Options options("run IMAGE", "Runs.");
  options.value("hostname,h", "NAME", "host name", name);
  EXPECT_EQ(options.parse({"-h", "web", "image"}), Words{"image"});
  EXPECT_FALSE(options.help_shown());
  EXPECT_EQ(name, "web");
}

TEST_F(OptionsTest, EndAtTheFirstWordSoThatACommandKeepsItsOwnFlags) {
  const auto rest = options_.parse({"-q", "--memory", "64m", "image", "ls", "-q", "--memory=1"});
  EXPECT_EQ(rest, (Words{"image", "ls", "-q", "--memory=1"}));
  EXPECT_TRUE(quiet_);
  EXPECT_EQ(memory_, "64m");
}

TEST_F(OptionsTest, TakeValuesInEveryUsualForm) {
  EXPECT_TRUE(options_.parse({"--memory=1m", "-e", "A=1", "-eB=2", "--env", "C=x=y"}).empty());
  EXPECT_EQ(memory_, "1m");
  EXPECT_EQ(env_, (Words{"A=1", "B=2", "C=x=y"}));
}

TEST_F(OptionsTest, TakeAValueThatIsAFlagsName) {
  EXPECT_EQ(options_.parse({"--memory", "env", "quiet"}), (Words{"quiet"}));
  EXPECT_EQ(memory_, "env");
}

TEST_F(OptionsTest, CombineLettersAndTakeValuesOfAnyLook) {
  bool loud = true;
  options_.flag("loud,l", "say more", loud);
  EXPECT_EQ(options_.parse({"-qm", "-1", "-qe=A=1", "--env=", "--loud=false", "x"}), (Words{"x"}));
  EXPECT_TRUE(quiet_);
  EXPECT_FALSE(loud);
  EXPECT_EQ(memory_, "-1");
  EXPECT_EQ(env_, (Words{"A=1", ""}));
  EXPECT_EQ(options_.given(), (std::set<std::string>{"env", "loud", "memory", "quiet"}));
}

TEST_F(OptionsTest, HaveTwoDashesAtMost) {
  bool letterless = false;
  options_.flag("letterless", "has no letter", letterless);
  EXPECT_EQ(refusal({"---", "x"}), "unknown flag: ---");
  EXPECT_EQ(refusal({"---m", "x"}), "unknown flag: ---m");
  EXPECT_EQ(refusal({"---memory=1m"}), "unknown flag: ---memory");
  EXPECT_FALSE(letterless);
}

TEST_F(OptionsTest, StandAnywhereWhereNoCommandFollows) {
  const auto rest = options_.parse({"box", "-q", "other", "--", "-m"}, FlagPlace::anywhere);
  EXPECT_EQ(rest, (Words{"box", "other", "-m"}));
  EXPECT_TRUE(quiet_);
}

TEST_F(OptionsTest, TellAnEmptyValueFromNone) {
  std::optional<std::string> entrypoint;
  std::optional<std::string> other;
  options_.value("entrypoint", "COMMAND", "the program", entrypoint);
  options_.value("other", "X", "another", other);
  options_.parse({"--entrypoint", ""});
  EXPECT_EQ(entrypoint, "");
  EXPECT_FALSE(other);
}

TEST_F(OptionsTest, EndAtTheSeparator) {
  EXPECT_EQ(options_.parse({"-q", "--", "--memory", "--"}), (Words{"--memory", "--"}));
  EXPECT_TRUE(memory_.empty());
}

TEST_F(OptionsTest, TreatASingleDashAsAWord) {
  EXPECT_EQ(options_.parse({"-", "-q"}), (Words{"-", "-q"}));
  EXPECT_FALSE(quiet_);
}

TEST_F(OptionsTest, NameWhatIsWrong) {
  EXPECT_NE(refusal({"--bogus", "image"}).find("--bogus"), std::string::npos);
  EXPECT_EQ(refusal({"-qz"}), "unknown shorthand flag: 'z' in -qz");
  EXPECT_EQ(refusal({"-qm"}), "flag needs an argument: -m");
  EXPECT_NE(refusal({"--quiet=perhaps"}).find("--quiet"), std::string::npos);
  EXPECT_NE(refusal({"--memory"}).find("--memory"), std::string::npos);
  EXPECT_NE(refusal({"--mem", "1m"}).find("--mem"), std::string::npos) << "no guessing";
  EXPECT_NE(refusal({"--memory=1m", "--memory=2m"}).find("memory"), std::string::npos);
}

TEST_F(OptionsTest, ShowHelpOnRequest) {
  testing::internal::CaptureStdout();
  options_.parse({"--help"});
  const auto help = testing::internal::GetCapturedStdout();
  EXPECT_TRUE(options_.help_shown());
  for (const auto* const part : {"twinbox run [FLAGS] IMAGE", "--memory SIZE", "-e", "limit"}) {
    EXPECT_NE(help.find(part), std::string::npos) << part << " in\n" << help;
  }
}

}  // namespace
}  // namespace twinbox::cli
