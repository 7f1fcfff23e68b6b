// The commands `twinbox compare show` and `twinbox compare diff`.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/json.hpp"
#include "tests/native/compare/compare_fixture.hpp"

namespace twinbox::compare {
namespace {

namespace fs = std::filesystem;

class FinishedReport : public ::testing::Test {
 protected:
  base::CommandResult compare(std::vector<std::string> args) const {
    args.insert(args.begin(), {TWINBOX_PROGRAM, "compare"});
    return base::run_command(args);
  }
  // The committed report with its runs `times` over, those of the machine stretched.
  std::string stretched(double factor, int times = 1) const {
    auto json = base::parse_json(base::read_file(report_), report_);
    const auto starts = json["starts"];
    json["starts"] = base::Json::array();
    for (int round = 0; round < times; ++round) {
      for (auto sample : starts) {
        sample["block"] = sample["block"].get<int>() + 10 * round;
        for (auto& mark : sample["marks_ns"]) {
          const double own = sample["engine"] == "vm" ? factor : 1;
          mark = static_cast<std::uint64_t>(mark.get<double>() * own);
        }
        json["starts"].push_back(sample);
      }
    }
    const auto file = directory_.path() / fmt::format("stretched-{}-{}.json", factor, times);
    base::write_file(file, json.dump());
    return file.string();
  }

  const std::string report_ = TWINBOX_TEST_DATA "/report-v1.json";
  base::TemporaryDirectory directory_;
};

TEST_F(FinishedReport, IsShownInEveryForm) {
  const auto text = compare({"show", report_});
  ASSERT_EQ(text.status, 0) << text.err;
  EXPECT_NE(text.out.find("Start-up: request to ready"), std::string::npos);
  EXPECT_NE(compare({"show", "--format", "markdown", report_}).out.find("## Ratios"),
            std::string::npos);
  EXPECT_TRUE(compare({"show", report_, "--format=csv"}).out.starts_with("host,engine,"));
  EXPECT_TRUE(compare({"show", "--format=html", report_}).out.starts_with("<!doctype html>"));
  const auto json = base::parse_json(compare({"show", "--format=json", report_}).out, "shown");
  EXPECT_EQ(json["schema_version"], schema_version);
  EXPECT_EQ(compare({"show", "--format=poem", report_}).status, 125);
}

TEST_F(FinishedReport, IsShownToNobodyWithoutAWord) {
  const auto run =
      base::run_command({"bash", "-c", R"sh(exec 3> >(:); wait $!; "$0" compare show "$1" >&3)sh",
                         TWINBOX_PROGRAM, report_});
  EXPECT_EQ(run.status, 128 + SIGPIPE);
  EXPECT_EQ(run.err, "");
}

TEST_F(FinishedReport, IsFoundInItsDirectory) {
  fs::copy_file(report_, directory_.path() / "report.json");
  EXPECT_EQ(compare({"show", directory_.path().string()}).status, 0);
}

TEST_F(FinishedReport, TellsWhereItIsBroken) {
  auto json = base::parse_json(base::read_file(report_), report_);
  json["starts"][3]["marks_ns"]["ready"] = "late";
  base::write_file(directory_.path() / "broken.json", json.dump());
  const auto shown = compare({"show", (directory_.path() / "broken.json").string()});
  EXPECT_EQ(shown.status, 125);
  EXPECT_NE(shown.err.find("broken.json#/starts/3/marks_ns/ready: "), std::string::npos)
      << shown.err;
}

TEST_F(FinishedReport, DoesNotDifferFromItself) {
  const auto diff = compare({"diff", report_, report_});
  EXPECT_EQ(diff.status, 0) << diff.err;
  EXPECT_NE(diff.out.find("0 improved, 0 regressed"), std::string::npos) << diff.out;
}

TEST_F(FinishedReport, IsRefusedAgainstOneOfAnotherHost) {
  auto json = base::parse_json(base::read_file(report_), report_);
  json["environment"]["kind"] = "native";
  const auto file = (directory_.path() / "native.json").string();
  base::write_file(file, json.dump());
  const auto diff = compare({"diff", report_, file});
  EXPECT_EQ(diff.status, 125);
  EXPECT_NE(diff.err.find("different hosts"), std::string::npos) << diff.err;
  EXPECT_NE(diff.err.find("--across-hosts"), std::string::npos) << diff.err;
}

TEST_F(FinishedReport, TellsCiWhatRegressed) {
  const auto before = stretched(1, 3);
  const auto slower = compare({"diff", before, stretched(1.5, 3)});
  EXPECT_EQ(slower.status, 1) << slower.out;
  EXPECT_NE(slower.out.find("regressed"), std::string::npos) << slower.out;
  EXPECT_EQ(compare({"diff", before, stretched(0.5, 3)}).status, 0);
  EXPECT_EQ(compare({"diff", "--margin", "60", before, stretched(1.5, 3)}).status, 0);
}

TEST_F(FinishedReport, FourRunsTellNothing) {
  // They are too few for a verdict after Holm's correction, however far apart.
  EXPECT_EQ(compare({"diff", report_, stretched(2)}).status, 0);
  EXPECT_EQ(compare({"diff", "--strict", report_, stretched(2)}).status, 2);
}

}  // namespace
}  // namespace twinbox::compare
