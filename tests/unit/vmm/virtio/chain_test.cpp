#include "vmm/virtio/chain.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace twinbox::vmm::virtio {
namespace {

// "abc", nothing, "defgh", "i".
class SegmentCursorTest : public testing::Test {
 protected:
  static std::string text(Segment segment) {
    return {reinterpret_cast<const char*>(segment.data()), segment.size()};
  }
  std::string bytes_ = "abcdefghi";
  std::span<std::byte> all_ = std::as_writable_bytes(std::span(bytes_));
  std::array<Segment, 4> segments_{all_.subspan(0, 3), all_.subspan(3, 0), all_.subspan(3, 5),
                                   all_.subspan(8, 1)};
  SegmentCursor cursor_{segments_};
};

TEST_F(SegmentCursorTest, ReadsAcrossSegments) {
  std::array<std::byte, 6> out{};
  EXPECT_EQ(cursor_.read(out), 6U);
  EXPECT_EQ(text(out), "abcdef");
  EXPECT_EQ(cursor_.remaining(), 3U);
  EXPECT_EQ(text(cursor_.peek()), "gh");
}

TEST_F(SegmentCursorTest, ReadStopsAtTheEnd) {
  std::array<std::byte, 20> out{};
  EXPECT_EQ(cursor_.read(out), 9U);
  EXPECT_EQ(cursor_.read(out), 0U);
  EXPECT_TRUE(cursor_.peek().empty());
}

TEST_F(SegmentCursorTest, WritesAcrossSegments) {
  cursor_.skip(2);
  const std::string news = "CDEF";
  EXPECT_EQ(cursor_.write(std::as_bytes(std::span(news))), 4U);
  EXPECT_EQ(bytes_, "abCDEFghi");
}

TEST_F(SegmentCursorTest, WriteStopsAtTheEnd) {
  const std::string news(20, 'x');
  EXPECT_EQ(cursor_.write(std::as_bytes(std::span(news))), 9U);
  EXPECT_EQ(bytes_, "xxxxxxxxx");
}

TEST_F(SegmentCursorTest, TakesPartsOfSegments) {
  cursor_.skip(1);
  const auto taken = cursor_.take(5);
  ASSERT_EQ(taken.size(), 2U);
  EXPECT_EQ(text(taken[0]), "bc");
  EXPECT_EQ(text(taken[1]), "def");
  EXPECT_EQ(cursor_.remaining(), 3U);
  EXPECT_EQ(cursor_.take(3).size(), 2U);
  EXPECT_TRUE(cursor_.take(0).empty());
}

TEST_F(SegmentCursorTest, ObjectMustBeThereWhole) {
  EXPECT_EQ(cursor_.read_object<std::uint32_t>(), 0x64636261U);
  EXPECT_EQ(cursor_.read_object<std::uint64_t>(), std::nullopt);
  EXPECT_EQ(cursor_.remaining(), 5U);
}

TEST(SegmentCursor, NothingIsNothing) {
  SegmentCursor cursor;
  EXPECT_EQ(cursor.remaining(), 0U);
  EXPECT_TRUE(cursor.peek().empty());
  cursor.skip(0);
}

}  // namespace
}  // namespace twinbox::vmm::virtio
