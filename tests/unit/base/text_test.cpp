#include "base/text.hpp"

#include <gtest/gtest.h>

#include <cstdint>

#include "base/command.hpp"

namespace twinbox::base {
namespace {

using Strings = std::vector<std::string>;

TEST(Split, KeepsEmptyPiecesButNoneAfterTheEnd) {
  EXPECT_EQ((Strings{"a", "", "b"}), split("a::b:", ':'));
  EXPECT_EQ((Strings{""}), split(":", ':'));
  EXPECT_EQ(Strings{}, split("", ':'));
}

TEST(Words, AreWhatStandsBetweenBlanks) {
  EXPECT_EQ((Strings{"one", "two", "three"}), words("  one\ttwo \n three\n"));
  EXPECT_EQ(Strings{}, words(" \n"));
}

TEST(ShellLine, QuotesWhatAShellWouldChange) {
  EXPECT_EQ("compare --out=/tmp/a-b_1 A=1,2", shell_line({"compare", "--out=/tmp/a-b_1", "A=1,2"}));
  EXPECT_EQ("'two words' '' '$HOME' '*' '~' 'a\nb'",
            shell_line({"two words", "", "$HOME", "*", "~", "a\nb"}));
  EXPECT_EQ("", shell_line({}));
}

TEST(ShellLine, IsTakenApartIntoTheSameWords) {
  const Strings words{"it's", "'", "a\\b", "\"$(false)\"", "", " x ", "#", ";|&<>!"};
  auto line = shell_line(words);
  line.insert(0, R"(printf '[%s]' )");
  std::string expected;
  for (const auto& word : words) expected += "[" + word + "]";
  EXPECT_EQ(expected, run_command({"sh", "-c", line}).out);
}

TEST(ParseNumber, TakesAllOfTheTextOrNothing) {
  EXPECT_EQ(42U, parse_number<std::uint32_t>("42"));
  EXPECT_EQ(-7, parse_number<int>("-7"));
  for (const auto* text : {"", "x", "42 ", "4294967296", "-1"}) {
    EXPECT_EQ(std::nullopt, parse_number<std::uint32_t>(text)) << text;
  }
}

TEST(Printable, ShowsControlCharactersInPlaceOfSendingThem) {
  EXPECT_EQ(printable("plain \\ Größe"), "plain \\ Größe");
  EXPECT_EQ(printable("a\nb\tc\rd"), "a\\nb\\tc\\x0dd");
  EXPECT_EQ(printable("\x1b[2J\x7f"), "\\x1b[2J\\x7f");
  EXPECT_EQ(printable("\xc2\x9b"
                      "2J\xc2"),
            "\\xc2\\x9b2J\xc2");
  EXPECT_EQ(printable(std::string_view("\0", 1)), "\\x00");
}

}  // namespace
}  // namespace twinbox::base
