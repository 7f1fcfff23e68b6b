#include "sandbox/protocol.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <span>

#include "base/error.hpp"

namespace twinbox::sandbox::protocol {
namespace {

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

std::vector<Frame> decode(std::string_view stream, std::size_t piece) {
  Decoder decoder;
  std::vector<Frame> frames;
  for (std::size_t start = 0; start < stream.size(); start += piece) {
    decoder.feed(bytes_of(stream.substr(start, piece)),
                 [&](Frame frame) { frames.push_back(std::move(frame)); });
  }
  return frames;
}

TEST(Encode, LaysTheHeaderOutAsDocumented) {
  const auto frame = encode(FrameType::stdout_data, 0x01020304, "hi");

  EXPECT_EQ(std::string("\x02\0\0\0\x05\0\0\0\x04\x03\x02\x01\0\0\0\0hi", 18), frame);
}

TEST(Encode, RefusesAPayloadThatNoPeerTakes) {
  EXPECT_NO_THROW(encode(FrameType::stdin_data, 1, std::string(max_payload, 'x')));
  EXPECT_THROW(encode(FrameType::stdin_data, 1, std::string(max_payload + 1, 'x')), base::Error);
}

// However the stream is cut, the same frames come out.
class DecoderPieces : public testing::TestWithParam<std::size_t> {};

TEST_P(DecoderPieces, PutFramesTogether) {
  const auto stream = encode(FrameType::started, 1, "") +
                      encode(FrameType::stdout_data, 1, std::string(1000, 'a')) +
                      encode(FrameType::exited, 1, "{\"status\":0}");

  const auto frames = decode(stream, GetParam());

  ASSERT_EQ(3U, frames.size());
  EXPECT_EQ(FrameType::started, frames[0].type);
  EXPECT_EQ(std::string(1000, 'a'), frames[1].payload);
  EXPECT_EQ(FrameType::exited, frames[2].type);
  EXPECT_EQ("{\"status\":0}", frames[2].payload);
}

INSTANTIATE_TEST_SUITE_P(Sizes, DecoderPieces, testing::Values(1, 2, 15, 16, 17, 100, 100000));

TEST(Decoder, HoldsBackAFrameThatIsNotWhole) {
  const auto frame = encode(FrameType::log, 0, "text");
  EXPECT_TRUE(decode(frame.substr(0, frame.size() - 1), 7).empty());
}

struct BadHeader {
  std::size_t offset;
  char value;
};
class DecoderBadHeader : public testing::TestWithParam<BadHeader> {};

TEST_P(DecoderBadHeader, IsAnError) {
  auto frame = encode(FrameType::log, 0, "text");
  frame.at(GetParam().offset) = GetParam().value;
  EXPECT_THROW(decode(frame, 1000), base::Error);
}

INSTANTIATE_TEST_SUITE_P(Fields, DecoderBadHeader,
                         testing::Values(BadHeader{2, 0x11},  // longer than any payload
                                         BadHeader{3, 0x7f}, BadHeader{4, 0}, BadHeader{4, 11},
                                         BadHeader{4, 31}, BadHeader{4, 46}, BadHeader{4, 63},
                                         BadHeader{4, 66}, BadHeader{5, 1}, BadHeader{6, 1},
                                         BadHeader{7, 1}, BadHeader{12, 1}, BadHeader{15, 1}));

TEST(Fields, ReadWhatWasAppendedAndNothingBeyond) {
  std::string payload;
  append_u32(payload, 0xdeadbeef);
  append_u64(payload, 0x0123456789abcdef);

  EXPECT_EQ(0xdeadbeefU, read_u32(payload, 0));
  EXPECT_EQ(0x0123456789abcdefU, read_u64(payload, 4));
  EXPECT_THROW(read_u32(payload, 9), base::Error);
  EXPECT_THROW(read_u64(payload, 5), base::Error);
  EXPECT_THROW(read_u32(payload, std::string::npos), base::Error);
}

}  // namespace
}  // namespace twinbox::sandbox::protocol
