#include "compare/result.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/json.hpp"
#include "tests/unit/compare/sample_result.hpp"

namespace twinbox::compare {
namespace {

using sandbox::Mark;

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
  result.hosts.front().kind = HostKind::deterministic_lab;
  result.hosts.push_back({"outer", HostKind::native, {{"processor", "some"}}});
  const auto back = result_from_json(to_json(result), "report.json");
  EXPECT_EQ(back.host_of("vm").kind, HostKind::deterministic_lab);
  EXPECT_EQ(back.hosts.at(1).facts.at(0).value, "some");
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
  EXPECT_NE(reading_error(json).find("report.json#/starts/3/marks_ns/ready: expected"),
            std::string::npos);
}

TEST(ResultJson, NamesTheFieldThatIsMissing) {
  auto json = base::parse_json(to_json(sample_result()), "report.json");
  json["engines"][1].erase("title");
  const auto error = reading_error(json);
  EXPECT_NE(error.find("engines/1"), std::string::npos) << error;
  EXPECT_NE(error.find("title"), std::string::npos) << error;
}

// The pointers of all leaves that a reader reads, of lists the first element's.
void collect_leaves(const base::Json& json, const std::string& pointer,
                    std::vector<std::string>& leaves) {
  if (!json.is_structured()) {
    leaves.push_back(pointer);
    return;
  }
  for (const auto& [key, member] : json.items()) {
    if (json.is_array() && key != "0") break;
    if (pointer + "/" + key == "/computed") continue;
    collect_leaves(member, pointer + "/" + key, leaves);
  }
}

TEST(ResultJson, NamesEveryFieldThatCanBeWrong) {
  auto result = rich_result();
  result.density.front().points.resize(3);
  result.density.resize(1);
  result.starts.resize(2);
  result.measurements.resize(1);
  result.memory.resize(1);
  const auto whole = base::parse_json(to_json(result), "report.json");
  std::vector<std::string> leaves;
  collect_leaves(whole, "", leaves);
  EXPECT_GT(leaves.size(), 100U);
  for (const auto& leaf : leaves) {
    auto json = whole;
    auto& field = json[base::Json::json_pointer(leaf)];
    field = field.is_string() ? base::Json(7) : base::Json("wrong");
    const auto error = reading_error(json);
    // The plan is read by the code that reads plans of people, by its own form of a path.
    const auto where = leaf.starts_with("/plan") ? "plan" : "report.json#" + leaf;
    EXPECT_NE(error.find(where), std::string::npos) << leaf << ": " << error;
  }
}

TEST(ResultJson, NamesAReferenceToNothing) {
  const auto whole = base::parse_json(to_json(rich_result()), "report.json");
  for (const auto* const field :
       {"/starts/3/engine", "/measurements/2/engine", "/measurements/2/metric", "/memory/1/engine",
        "/density/0/engine", "/exits/0/engine", "/engines/1/host"}) {
    auto json = whole;
    json[base::Json::json_pointer(field)] = "ghost";
    const auto error = reading_error(json);
    EXPECT_NE(error.find(std::string("report.json#") + field + ": "), std::string::npos) << error;
  }
}

TEST(ResultJson, ReadsEveryKeptReport) {
  int reports = 0;
  for (const auto& entry : std::filesystem::directory_iterator(TWINBOX_SOURCE "/docs/results")) {
    const auto file = entry.path() / "report.json";
    if (!std::filesystem::exists(file)) continue;
    ++reports;
    const auto result = result_from_json(base::read_file(file), file.string());
    EXPECT_FALSE(result.starts.empty()) << file;
    EXPECT_FALSE(result.hosts.empty()) << file;
  }
  EXPECT_GT(reports, 0);
}

TEST(ResultJson, OpensAReportOfVersion1) {
  const std::string file = TWINBOX_TEST_DATA "/report-v1.json";
  const auto result = result_from_json(base::read_file(file), file);
  EXPECT_EQ(result.starts.size(), 15U);
  EXPECT_EQ(result.starts.front().workload, "start-up");
  ASSERT_NE(result.find_engine("vm"), nullptr);
  EXPECT_EQ(result.find_engine("vm")->kind, BoxKind::machine);
  EXPECT_EQ(result.host_of("vm").kind, HostKind::deterministic_lab);
  EXPECT_EQ(result.hosts.at(1).kind, HostKind::native);
  EXPECT_TRUE(result.density.at(0).stopped_by_budget);
  // Written again it is of today's version, and says the same.
  const auto again = result_from_json(to_json(result), "report.json");
  EXPECT_EQ(again.starts.at(7).marks, result.starts.at(7).marks);
  EXPECT_EQ(again.engines.size(), 3U);
}

TEST(ResultJson, NamesAReferenceToNothingInAReportOfVersion1) {
  const std::string file = TWINBOX_TEST_DATA "/report-v1.json";
  auto json = base::parse_json(base::read_file(file), file);
  json["measurements"] = {{{"metric", "ghost"},
                           {"engine", "vm"},
                           {"workload", "start-up"},
                           {"block", 0},
                           {"value", 1}}};
  EXPECT_NE(reading_error(json).find("#/measurements/0/metric: "), std::string::npos);
  json["measurements"] = base::Json::array();
  json["starts"][2]["engine"] = "ghost";
  EXPECT_NE(reading_error(json).find("#/starts/2/engine: "), std::string::npos);
}

TEST(ResultJson, NamesASizeThatIsNone) {
  const auto whole = base::parse_json(to_json(rich_result()), "report.json");
  auto json = whole;
  json["engines"][1]["settings"].push_back({{"name", "memory"}, {"value", "lots"}});
  const auto last = json["engines"][1]["settings"].size() - 1;
  const auto error = reading_error(json);
  EXPECT_NE(error.find(fmt::format("#/engines/1/settings/{}/value: 'lots'", last)),
            std::string::npos)
      << error;
  json = whole;
  json["plan"]["memory"] = "lots";
  EXPECT_NE(reading_error(json).find("plan/memory: 'lots'"), std::string::npos)
      << reading_error(json);
}

TEST(ResultJson, RefusesAGrowthWithoutAnyPoint) {
  auto json = base::parse_json(to_json(rich_result()), "report.json");
  json["density"][0]["points"] = base::Json::array();
  EXPECT_NE(reading_error(json).find("#/density/0/points: "), std::string::npos);
}

TEST(ResultJson, KeepsWhatVersion2Added) {
  auto result = sample_result();
  result.measured_at = "2026-01-02T03:04:05Z";
  result.metrics = {
      {"random read", "Random read", "1/s", Better::higher, "reads of 4 KiB", "jobs"}};
  result.measurements = {{"random read", "vm", "disk", 3, 1, false, 2.0, 5120.5}};
  result.exits = {{"vm", "start-up", "boot", "mmio", 310, 4'500'000}};
  result.audit = {{"same image", AuditState::fail, "two digests"}};
  result.engines.at(1).missing_marks[Mark::booted] = "it does not tell";
  result.starts.at(0).cpu_ns[Mark::ready] = 77;
  const auto back = result_from_json(to_json(result), "report.json");
  EXPECT_EQ(back.measured_at, result.measured_at);
  EXPECT_EQ(back.metrics.at(0).better, Better::higher);
  EXPECT_EQ(back.measurements.at(0).at, 2.0);
  EXPECT_EQ(back.measurements.at(0).value, 5120.5);
  EXPECT_EQ(back.exits.at(0).count, 310);
  EXPECT_EQ(back.audit.at(0).state, AuditState::fail);
  EXPECT_EQ(back.engines.at(1).missing_marks.at(Mark::booted), "it does not tell");
  EXPECT_EQ(back.starts.at(0).cpu_ns.at(Mark::ready), 77U);
}

TEST(ResultJson, RefusesAMarkThatThereIsNot) {
  auto json = base::parse_json(to_json(sample_result()), "report.json");
  json["starts"][0]["marks_ns"]["a/b"] = 1;
  EXPECT_NE(reading_error(json).find("#/starts/0/marks_ns/a~1b: "), std::string::npos);
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
