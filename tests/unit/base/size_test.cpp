#include "base/size.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"

namespace twinbox::base {
namespace {

TEST(ParseSize, ReadsEveryUnit) {
  EXPECT_EQ(parse_size("4096", "m"), 4096U);
  EXPECT_EQ(parse_size("10b", "m"), 10U);
  EXPECT_EQ(parse_size("1k", "m"), kibibyte);
  EXPECT_EQ(parse_size("128M", "m"), 128 * mebibyte);
  EXPECT_EQ(parse_size("2GiB", "m"), 2 * gibibyte);
  EXPECT_EQ(parse_size("1tb", "m"), 1024 * gibibyte);
}

TEST(ParseSize, RefusesWhatIsNoSizeAndNamesTheFlag) {
  for (const auto* text :
       {"", "m", "-1m", "12x", "1mm", "1.5g", "bb", "1bb", "99999999999999999t"}) {
    try {
      parse_size(text, "--memory");
      ADD_FAILURE() << text << " was accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::usage);
      EXPECT_EQ(error.message().find("--memory: '"), 0U) << error.message();
    }
  }
}

TEST(FormatSize, PicksTheUnit) {
  EXPECT_EQ(format_size(512), "512 B");
  EXPECT_EQ(format_size(1536), "1.5 KiB");
  EXPECT_EQ(format_size(3 * gibibyte), "3.0 GiB");
}

}  // namespace
}  // namespace twinbox::base
