#include "vmm/devices/last_lines.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace twinbox::vmm {
namespace {

using Lines = std::vector<std::string>;

TEST(LastLines, UnfinishedLineComesLast) {
  LastLines last;
  last.put("one\r\ntwo\nthr");
  EXPECT_EQ(last.lines(), (Lines{"one", "two", "thr"}));
}

TEST(LastLines, KeepsTheNewest) {
  LastLines last;
  for (int i = 0; i < 100; ++i) last.put("line " + std::to_string(i) + "\n");
  EXPECT_EQ(last.lines().size(), LastLines::max_lines);
  EXPECT_EQ(last.lines().front(), "line 60");
  EXPECT_EQ(last.lines().back(), "line 99");
  last.put("prompt");
  EXPECT_EQ(last.lines().size(), LastLines::max_lines);
  EXPECT_EQ(last.lines().back(), "prompt");
}

TEST(LastLines, EndlessLineIsCut) {
  LastLines last;
  last.put(std::string(100'000, 'x'));
  ASSERT_EQ(last.lines().size(), 1U);
  EXPECT_EQ(last.lines()[0].size(), LastLines::max_line);
}

TEST(LastLines, NothingPrintedIsNoLine) { EXPECT_TRUE(LastLines().lines().empty()); }

}  // namespace
}  // namespace twinbox::vmm
