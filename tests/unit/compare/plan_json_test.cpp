#include "compare/plan_json.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "base/error.hpp"
#include "base/file.hpp"

namespace twinbox::compare {
namespace {

using base::Json;
using base::JsonView;

Plan read(std::string_view text) {
  const auto json = base::parse_json(text, "plan.json");
  return read_plan(JsonView(json, "plan.json"));
}

std::string refusal(std::string_view text) {
  try {
    read(text);
  } catch (const base::Error& error) {
    EXPECT_EQ(error.kind(), base::ErrorKind::usage);
    return error.message();
  }
  return "accepted";
}

constexpr const char* full_plan = R"({
  "engines": ["process",
    {"name": "vm-large", "engine": "vm", "start": "warm", "kernel": "stock", "memory": "1g",
     "cpus": 2},
    {"name": "mine", "command": ["mybox", "--root", "{rootfs}", "{args}"],
     "version": ["mybox", "--version"]}],
  "image": "debian", "memory": "256m", "cpus": 2, "kernel": "tuned",
  "workloads": ["syscalls",
    {"name": "own", "command": ["sh", "-c", "echo 7 ops"], "figure": "([0-9]+) ops",
     "unit": "ops", "better": "higher"}],
  "workload_runs": 4, "page_cache": "cold", "warm_ups": 1, "runs": {"least": 7, "most": 30, "enough": 0.01},
  "seed": 9, "timeout_s": 60,
  "density": {"instances": 5, "states": ["idle", "touched"], "repeats": 2},
  "load": {"parallel": [1, 2], "launches": 8, "beside": [0, 4]}, "image_imports": 2
})";

TEST(PlanFile, HoldsEveryPartOfAPlan) {
  const auto plan = read(full_plan);
  EXPECT_EQ(plan.engines, (std::vector<std::string>{"process", "vm-large", "mine"}));
  EXPECT_EQ(plan.settings_of("vm-large").start, "warm");
  EXPECT_EQ(plan.settings_of("vm-large").cpus, 2);
  EXPECT_EQ(plan.settings_of("mine").engine, "command");
  ASSERT_EQ(plan.workloads.size(), 2U);
  EXPECT_EQ(plan.workloads[0].image, "twinbox-work");
  EXPECT_EQ(plan.workloads[1].better, Better::higher);
  EXPECT_EQ(plan.blocks, 30);
  EXPECT_EQ(plan.least_blocks, 7);
  EXPECT_EQ(plan.most_instances("mine"), 5);
  EXPECT_EQ(plan.load.beside, (std::vector<int>{0, 4}));
  EXPECT_EQ(plan.image_imports, 2);
  EXPECT_EQ(plan.page_cache, PageCache::cold);
  EXPECT_NO_THROW(check(plan));
}

TEST(PlanFile, IsTheSameAfterARoundTrip) {
  for (auto plan : {read(full_plan), quick_plan(), publish_plan()}) {
    add_repetition(plan);
    const auto json = write_plan(plan);
    EXPECT_EQ(write_plan(read_plan(JsonView(json, "again"))), json);
  }
}

TEST(PlanFile, HasDefaultsForWhatIsLeftOut) {
  EXPECT_EQ(write_plan(read("{}")), write_plan(Plan()));
  EXPECT_EQ(read(R"({"runs": 5})").blocks, 5);
}

TEST(PlanFile, NamesThePathOfAFieldThatIsWrong) {
  EXPECT_NE(refusal(R"({"cpus": "two"})").find("plan.json.cpus"), std::string::npos);
  EXPECT_NE(refusal(R"({"image_imports": "all"})").find("plan.json.image_imports"),
            std::string::npos);
  EXPECT_NE(refusal(R"({"page_cache": "hot"})").find("plan.json.page_cache"), std::string::npos);
  EXPECT_NE(refusal(R"({"cpus": 0})").find("plan.json.cpus"), std::string::npos);
  EXPECT_NE(refusal(R"({"engines": ["vm", 3]})").find("plan.json.engines[1]"), std::string::npos);
  EXPECT_NE(refusal(R"({"engines": [{"name": "a", "engine": "vm", "start": "hot"}]})")
                .find("plan.json.engines[0].start"),
            std::string::npos);
  EXPECT_NE(refusal(R"({"density": {"instances": {"vm": "many"}}})")
                .find("plan.json.density.instances.vm"),
            std::string::npos);
  EXPECT_NE(refusal(R"({"workloads": ["quake"]})").find("plan.json.workloads[0]"),
            std::string::npos);
}

TEST(PlanFile, NamesThePathOfAFieldThatThereIsNot) {
  EXPECT_NE(refusal(R"({"engine": ["vm"]})").find("plan.json.engine: there is no such field"),
            std::string::npos);
  EXPECT_NE(refusal(R"({"load": {"parallels": [1]}})").find("plan.json.load.parallels"),
            std::string::npos);
}

TEST(PlanFile, RefusesAFigureThatCannotBeFound) {
  constexpr const char* plan =
      R"({{"workloads": [{{"name": "a", "command": ["a"], "figure": "{}", "unit": "s", "better": "lower"}}]}})";
  EXPECT_NE(refusal(fmt::format(plan, "no group")).find("workloads[0].figure"), std::string::npos);
  EXPECT_NE(refusal(fmt::format(plan, "([0-9")).find("workloads[0].figure"), std::string::npos);
  EXPECT_EQ(refusal(fmt::format(plan, "([0-9])")), "accepted");
}

TEST(PlanFile, ThatDoesNotPassTheCheckIsRefused) {
  const base::TemporaryDirectory directory;
  const auto file = directory.path() / "plan.json";
  base::write_file(file, R"({"engines": ["jail"]})");
  EXPECT_THROW(load_plan(file), base::Error);
}

// Every name that is a property somewhere in the schema.
void collect_properties(const Json& schema, std::set<std::string>& names) {
  if (schema.is_array()) {
    for (const auto& item : schema) collect_properties(item, names);
  }
  if (!schema.is_object()) return;
  for (const auto& [key, value] : schema.items()) {
    if (key == "properties") {
      for (const auto& [name, property] : value.items()) names.insert(name);
    }
    collect_properties(value, names);
  }
}

void collect_fields(const Json& plan, std::set<std::string>& names) {
  for (const auto& [key, value] : plan.items()) {
    if (plan.is_object()) names.insert(key);
    if (value.is_structured() && key != "instances") collect_fields(value, names);
  }
}

TEST(PlanSchema, KnowsEveryField) {
  const auto schema = base::parse_json(base::read_file(TWINBOX_SOURCE "/docs/plan.schema.json"),
                                       "plan.schema.json");
  std::set<std::string> known;
  collect_properties(schema, known);
  auto plan = read(full_plan);
  plan.settings["mine"].prepare = {"a"};
  plan.settings["mine"].image = "b";
  plan.settings["mine"].repeats = "c";
  plan.workloads[1].memory = "1g";
  std::set<std::string> used;
  collect_fields(write_plan(plan), used);
  for (const auto& name : used) EXPECT_TRUE(known.contains(name)) << name;
}

}  // namespace
}  // namespace twinbox::compare
