#include "cli/format.hpp"

#include <gtest/gtest.h>

#include <array>

#include "cli/format_units.hpp"
#include "cli/table.hpp"

namespace twinbox::cli {
namespace {

constexpr std::array columns{Column{"ID", "CONTAINER ID"}, Column{"Names", "NAMES"}};
constexpr std::string_view standard = "{{.ID}}\t{{.Names}}";
const std::vector<base::Json> rows{{{"ID", "1"}, {"Names", "web"}}, {{"ID", "2"}, {"Names", "db"}}};

TEST(RowFormat, IsATableByDefault) {
  const std::string table = "CONTAINER ID   NAMES\n1              web\n2              db\n";
  EXPECT_EQ(RowFormat("", columns, standard).render(rows), table);
  EXPECT_EQ(RowFormat("table", columns, standard).render(rows), table);
}

TEST(RowFormat, TakesATableOfOwnColumns) {
  EXPECT_EQ(RowFormat("table {{.Names}}\\t{{.ID}}", columns, standard).render(rows),
            "NAMES     CONTAINER ID\nweb       1\ndb        2\n");
}

TEST(RowFormat, TakesATemplateOrJson) {
  EXPECT_EQ(RowFormat("{{.Names}}={{.ID}}", columns, standard).render(rows), "web=1\ndb=2\n");
  EXPECT_EQ(RowFormat("json", columns, standard).render(rows),
            "{\"ID\":\"1\",\"Names\":\"web\"}\n{\"ID\":\"2\",\"Names\":\"db\"}\n");
}

TEST(RowFormat, OfNoRowsIsHeadingsAlone) {
  EXPECT_EQ(RowFormat("", columns, standard).render({}), "CONTAINER ID   NAMES\n");
  EXPECT_EQ(RowFormat("{{.ID}}", columns, standard).render({}), "");
}

TEST(Align, CountsCharactersAndKeepsEmptyCells) {
  EXPECT_EQ(align("äöü\t\tx\nlonger than ten\tb\ty\n"),
            "äöü                         x\nlonger than ten   b         y\n");
}

TEST(HumanDuration, IsDockers) {
  constexpr std::int64_t second = 1'000'000'000;
  constexpr std::int64_t hour = 3600 * second;
  EXPECT_EQ(human_duration(second / 2), "Less than a second");
  EXPECT_EQ(human_duration(second), "1 second");
  EXPECT_EQ(human_duration(59 * second), "59 seconds");
  EXPECT_EQ(human_duration(90 * second), "About a minute");
  EXPECT_EQ(human_duration(5 * 60 * second), "5 minutes");
  EXPECT_EQ(human_duration(hour), "About an hour");
  EXPECT_EQ(human_duration(47 * hour), "47 hours");
  EXPECT_EQ(human_duration(48 * hour), "2 days");
  EXPECT_EQ(human_duration(15 * 24 * hour), "2 weeks");
  EXPECT_EQ(human_duration(90 * 24 * hour), "3 months");
  EXPECT_EQ(human_duration(3 * 365 * 24 * hour), "3 years");
}

TEST(Sizes, AreDockers) {
  EXPECT_EQ(human_size(0), "0B");
  EXPECT_EQ(human_size(1256, 3), "1.26kB");
  EXPECT_EQ(binary_size(1536 * 1024), "1.5MiB");
  EXPECT_EQ(binary_size(1023), "1023B");
}

TEST(Ellipsis, CutsBetweenCharacters) {
  EXPECT_EQ(ellipsis("short", 20), "short");
  EXPECT_EQ(ellipsis("abcdef", 4), "abc…");
  EXPECT_EQ(ellipsis("ääää", 3), "ää…");
}

}  // namespace
}  // namespace twinbox::cli
