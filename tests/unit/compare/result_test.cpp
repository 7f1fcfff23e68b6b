#include "compare/result.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "base/json.hpp"
#include "tests/unit/compare/sample_result.hpp"

namespace twinbox::compare {
namespace {

std::string reading_error(const base::Json& json) {
  try {
    result_from_json(json.dump(), "report.json");
  } catch (const base::Error& error) {
    return error.message();
  }
  return "read";
}

TEST(ResultJson, ComesBackAsItWas) {
  const auto text = to_json(sample_result());
  const auto back = result_from_json(text, "report.json");
  EXPECT_EQ(to_json(back), text);
}

TEST(ResultJson, KeepsSamplesAndMarks) {
  const auto original = sample_result();
  const auto back = result_from_json(to_json(original), "report.json");
  ASSERT_EQ(back.starts.size(), original.starts.size());
  EXPECT_EQ(back.starts[4].marks, original.starts[4].marks);
  EXPECT_EQ(back.starts[0].warm_up, true);
  EXPECT_EQ(back.memory.size(), original.memory.size());
  EXPECT_EQ(back.memory.back().total().pss, original.memory.back().total().pss);
  EXPECT_EQ(back.density.at(2).points.size(), 7U);
  EXPECT_EQ(back.plan.idle.args, original.plan.idle.args);
}

TEST(ResultJson, KeepsTheKindOfHost) {
  auto result = sample_result();
  result.environment.kind = HostKind::deterministic_lab;
  result.environment.lab_host = {{"processor", "outer"}};
  const auto back = result_from_json(to_json(result), "report.json");
  EXPECT_EQ(back.environment.kind, HostKind::deterministic_lab);
  EXPECT_EQ(back.environment.lab_host.at(0).value, "outer");
}

TEST(ResultJson, HoldsTheComputedFigures) {
  const auto json = base::parse_json(to_json(sample_result()), "report.json");
  EXPECT_EQ(json["computed"]["engines"].size(), 3U);
  EXPECT_FALSE(json["computed"]["verdicts"].empty());
  EXPECT_FALSE(json["computed"]["audit"].empty());
}

TEST(ResultJson, SurvivesTextThatIsNoUtf8) {
  auto result = sample_result();
  result.failures.push_back({"vm", "start-up", "bad byte \xff here"});
  const auto back = result_from_json(to_json(result), "report.json");
  EXPECT_NE(back.failures.at(0).message.find("bad byte"), std::string::npos);
}

TEST(ResultJson, NamesTheFieldThatIsWrong) {
  auto json = base::parse_json(to_json(sample_result()), "report.json");
  json["starts"][3]["marks_ns"]["ready"] = "late";
  EXPECT_NE(reading_error(json).find("report.json.starts[3].marks_ns.ready"), std::string::npos);
}

TEST(ResultJson, NamesTheFieldThatIsMissing) {
  auto json = base::parse_json(to_json(sample_result()), "report.json");
  json["plan"].erase("seed");
  const auto error = reading_error(json);
  EXPECT_NE(error.find("plan"), std::string::npos) << error;
  EXPECT_NE(error.find("seed"), std::string::npos) << error;
}

TEST(ResultJson, RefusesWhatIsNoReport) {
  EXPECT_NE(reading_error(base::Json{{"hello", 1}}), "read");
}

TEST(ResultJson, RefusesANewerSchema) {
  auto json = base::parse_json(to_json(sample_result()), "report.json");
  json["schema_version"] = schema_version + 1;
  EXPECT_NE(reading_error(json).find("schema_version"), std::string::npos);
}

}  // namespace
}  // namespace twinbox::compare
