#include "base/json.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>

namespace twinbox::base {
namespace {

std::string message_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    return error.message();
  }
  ADD_FAILURE() << "expected an error";
  return {};
}

class JsonViewTest : public ::testing::Test {
 protected:
  Json json_ = parse_json(
      R"({"name": "box", "cpus": 2, "low": -3, "big": 5000000000, "half": 0.5, "on": true,
          "args": ["a", "b"], "labels": {"k": "v"}, "nested": [{"n": "x"}]})",
      "box.json");
  JsonView view_{json_, "box.json"};
};

TEST_F(JsonViewTest, DecodesEachType) {
  EXPECT_EQ(view_.get<std::string>("name"), "box");
  EXPECT_EQ(view_.get<int>("cpus"), 2);
  EXPECT_EQ(view_.get<int>("low"), -3);
  EXPECT_EQ(view_.get<std::uint64_t>("big"), 5'000'000'000U);
  EXPECT_DOUBLE_EQ(view_.get<double>("half"), 0.5);
  EXPECT_TRUE(view_.get<bool>("on"));
  EXPECT_EQ(view_.get<std::vector<std::string>>("args"), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ((view_.get<std::map<std::string, std::string>>("labels").at("k")), "v");
}

TEST_F(JsonViewTest, FallsBackOnlyWhenTheMemberIsMissing) {
  EXPECT_EQ(view_.get_or<int>("missing", 7), 7);
  EXPECT_EQ(view_.get_or<int>("cpus", 7), 2);
  message_of([&] { view_.get_or<int>("name", 7); });
}

TEST_F(JsonViewTest, AMistakeNamesItsPath) {
  EXPECT_EQ(
      message_of([&] { view_.at("nested").elements()[0].get<int>("n"); }),
      "box.json.nested[0].n: expected an integer from -2147483648 to 2147483647, found string");
}

TEST(JsonView, NamesPathsOfAnyDepth) {
  auto json = parse_json(R"("no number")", "deep.json");
  for (int level = 0; level < 9; ++level) json = Json{{"a/b", Json::array({0, json})}};
  const auto innermost = [](JsonView view) {
    for (int level = 0; level < 9; ++level) view = view.at("a/b").elements().at(1);
    return view;
  };
  std::string dotted = "deep.json";
  std::string pointer = "deep.json#";
  for (int level = 0; level < 9; ++level) {
    dotted += ".a/b[1]";
    pointer += "/a~1b/1";
  }
  EXPECT_EQ(innermost(JsonView(json, "deep.json")).path(), dotted);
  EXPECT_EQ(innermost(JsonView::with_pointers(json, "deep.json")).path(), pointer);
  EXPECT_EQ(message_of([&] { innermost(JsonView(json, "deep.json")).as<int>(); }).find(dotted), 0U);
}

TEST_F(JsonViewTest, AMissingFieldIsNamed) {
  EXPECT_EQ(message_of([&] { view_.at("kernel"); }), "box.json: the field 'kernel' is missing");
}

TEST_F(JsonViewTest, NumbersMustFit) {
  message_of([&] { view_.get<std::int32_t>("big"); });
  message_of([&] { view_.get<std::uint32_t>("low"); });
  message_of([&] { view_.get<int>("half"); });
}

TEST(ParseJson, NamesItsSource) {
  EXPECT_EQ(message_of([] { parse_json("{", "plan.json"); }).find("plan.json is not valid JSON"),
            0U);
}

TEST(ParseJson, NamesANumberThatIsTooLarge) {
  const auto error = [](const char* text) {
    return message_of([&] { parse_json(text, "box.json"); });
  };
  EXPECT_EQ(error(R"({"a": [1, {"b/c": 2}, [true]], "list": [0, {"x": [], "b/c": 1e999}]})"),
            "box.json#/list/1/b~1c: the number 1e999 is too large");
  EXPECT_EQ(error("-1e999"), "box.json#: the number -1e999 is too large");
}

TEST(JsonDepth, CountsWhatLiesWithinOneAnother) {
  EXPECT_EQ(0U, json_depth("1"));
  EXPECT_EQ(2U, json_depth(R"([{"a": 1}, {"b": "[[[\"[["}])"));
  EXPECT_EQ(100'000U, json_depth(std::string(100'000, '[')));
  EXPECT_EQ(1U, json_depth("]]]["));
}

}  // namespace
}  // namespace twinbox::base
