#include "supervise/line_reader.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>

#include "base/file.hpp"
#include "base/syscall.hpp"

namespace twinbox::supervise {
namespace {

class LineReaderTest : public testing::Test {
 protected:
  LineReader open(std::uint64_t offset = 0) const {
    return LineReader(base::open_file(path_, O_RDONLY), offset);
  }
  void append(std::string_view text) const {
    base::write_all(base::open_file(path_, O_WRONLY | O_CREAT | O_APPEND).get(), text);
  }

  base::TemporaryDirectory root_;
  std::string path_ = root_.path() / "file";
};

TEST_F(LineReaderTest, GivesWholeLinesAndGoesOnWhenThereAreMore) {
  append("one\n\ntwo\nthr");
  auto lines = open();
  EXPECT_EQ(lines.next(), "one");
  EXPECT_EQ(lines.next(), "");
  EXPECT_EQ(lines.next(), "two");
  EXPECT_FALSE(lines.next());
  append("ee\nfour\n");
  EXPECT_EQ(lines.next(), "three");
  EXPECT_EQ(lines.next(), "four");
  EXPECT_FALSE(lines.next());
}

TEST_F(LineReaderTest, TakesLinesLongerThanItsBlock) {
  const std::string longer(200'000, 'x');
  append(longer + "\nend\n");
  auto lines = open();
  EXPECT_EQ(lines.next(), longer);
  EXPECT_EQ(lines.next(), "end");
}

TEST_F(LineReaderTest, ReadsTheBeginningOfALineAgainThatWasTakenBack) {
  append("one\ntor");
  auto lines = open();
  EXPECT_EQ(lines.next(), "one");
  EXPECT_FALSE(lines.next());
  ASSERT_EQ(::truncate(path_.c_str(), 4), 0);
  append("two\n");
  EXPECT_EQ(lines.next(), "two");
}

TEST_F(LineReaderTest, BeginsWhereItIsTold) {
  append("one\ntwo\n");
  EXPECT_EQ(open(4).next(), "two");
}

}  // namespace
}  // namespace twinbox::supervise
