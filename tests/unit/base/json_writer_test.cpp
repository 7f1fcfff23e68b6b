#include "base/json_writer.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "base/json.hpp"

namespace twinbox::base {
namespace {

using namespace std::string_literals;

TEST(JsonWriter, WritesWhatTheLibraryWrites) {
  JsonWriter json;
  json.object([&] {
    json.member("array", std::vector<int>{1, -2});
    json.member("empty", std::vector<std::string>{});
    json.member("false", false);
    json.member("half", 0.5);
    json.member("large", std::numeric_limits<std::uint64_t>::max());
    json.object("object", [&] { json.member("map", std::map<std::string, bool>{{"a", true}}); });
    json.array("objects", [&] {
      json.object([] {});
      json.object([&] { json.member_as_it_is("raw", R"({"x":null})"); });
    });
    json.member("small", std::numeric_limits<std::int64_t>::min());
    json.array("words", [&] {
      json.element("one");
      json.element(std::string("two"));
    });
  });
  EXPECT_EQ(json.text(), Json::parse(json.text()).dump());
  EXPECT_EQ(Json::parse(json.text()).at("objects").at(1).at("raw").at("x"), Json());
}

TEST(JsonWriter, EscapesWhatMayNotStandAsItIs) {
  const auto text = "quote \" backslash \\ line \n control \x01 nul \0 umlaut \xc3\xbc end {"s;
  JsonWriter json;
  json.object([&] {
    json.member(text, text);
    json.member("next", 1);
  });
  const auto parsed = Json::parse(json.text());
  EXPECT_EQ(parsed.at(text), text);
  EXPECT_EQ(parsed.at("next"), 1);
}

TEST(JsonWriter, EscapesWhatTheLibraryEscapesWhereverItStands) {
  for (int letter = 0; letter < 0x80; ++letter) {
    for (std::size_t length = 1; length <= 17; ++length) {
      for (std::size_t place = 0; place < length; ++place) {
        for (const char around : {'a', '~', ' '}) {
          std::string text(length, around);
          text[place] = static_cast<char>(letter);
          JsonWriter json;
          json.array([&] { json.element(text); });
          ASSERT_EQ(json.text(), Json::array({text}).dump()) << letter << " at " << place;
        }
      }
    }
  }
}

TEST(JsonWriter, RefusesOrReplacesWhatIsNoUtf8) {
  JsonWriter strict;
  EXPECT_THROW(strict.element("\xff"), Json::type_error);
  JsonWriter lenient(JsonWriter::NotUtf8::replaced);
  lenient.element("a\xff");
  EXPECT_EQ(lenient.text(), "\"a\xef\xbf\xbd\"");
}

}  // namespace
}  // namespace twinbox::base
