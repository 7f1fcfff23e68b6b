#include "cli/detach_keys.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"

namespace twinbox::cli {
namespace {

TEST(DetachKeys, AreReadAsTheBytesThatATerminalSends) {
  EXPECT_EQ(parse_detach_keys(""), "\x10\x11");
  EXPECT_EQ(parse_detach_keys("ctrl-a,d"),
            "\x01"
            "d");
  EXPECT_EQ(parse_detach_keys("ctrl-@,ctrl-_"), std::string("\0\x1f", 2));
  for (const auto* const text : {"ctrl-", "ctrl-1", "escape", "a,,b", "ctrl-ab"}) {
    EXPECT_THROW(parse_detach_keys(text), base::Error) << text;
  }
}

TEST(DetachFilter, FindsTheKeysAlsoInPieces) {
  DetachFilter filter("\x10\x11");
  EXPECT_EQ(filter.take("text").text, "text");
  const auto first = filter.take("more\x10");
  EXPECT_EQ(first.text, "more") << "the beginning of the keys is held back";
  EXPECT_FALSE(first.detach);
  EXPECT_TRUE(filter.take("\x11").detach);
}

TEST(DetachFilter, PassesOnWhatOnlyBeginsLikeTheKeys) {
  DetachFilter filter("\x10\x11");
  EXPECT_EQ(filter.take("\x10").text, "");
  EXPECT_EQ(filter.take("x").text, "\x10x");
  const auto again = filter.take("\x10\x10\x11");
  EXPECT_EQ(again.text, "\x10") << "the second one began the keys";
  EXPECT_TRUE(again.detach);
}

TEST(DetachFilter, LooksForLongerKeysInTheirOwnBeginnings) {
  DetachFilter filter("aab");
  const auto typed = filter.take("aaab");
  EXPECT_EQ(typed.text, "a");
  EXPECT_TRUE(typed.detach);
}

}  // namespace
}  // namespace twinbox::cli
