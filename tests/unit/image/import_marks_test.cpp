#include "image/import_marks.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"

namespace twinbox::image {
namespace {

TEST(ImportMarks, AreTheSameAfterTheirWayThroughAFile) {
  const ImportMarks marks{.stored = 7, .unpacked = 8, .converted = 9'000'000'000'000};
  const auto back = ImportMarks::from_json(marks.to_json(), "marks.json");
  EXPECT_EQ(back.stored, 7U);
  EXPECT_EQ(back.unpacked, 8U);
  EXPECT_EQ(back.converted, 9'000'000'000'000U);
}

TEST(ImportMarks, LackWhatWasNotDone) {
  const auto text = ImportMarks{.stored = 7, .unpacked = {}, .converted = {}}.to_json();
  EXPECT_EQ(text, R"({"stored":7})");
  EXPECT_FALSE(ImportMarks::from_json(text, "marks.json").converted.has_value());
}

TEST(ImportMarks, NameWhatIsWrong) {
  try {
    ImportMarks::from_json(R"({"stored": 7, "unpacked": "soon"})", "marks.json");
    FAIL() << "it was accepted";
  } catch (const base::Error& error) {
    EXPECT_NE(error.message().find("marks.json.unpacked"), std::string::npos) << error.message();
  }
}

}  // namespace
}  // namespace twinbox::image
