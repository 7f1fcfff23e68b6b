// The serving end of a process whose machine was copied: what its new peer hears of it.
#include "sandbox/served_process.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/syscall.hpp"
#include "sandbox/protocol.hpp"

namespace twinbox::sandbox {
namespace {

using protocol::Frame;
using protocol::FrameType;

class CopiedProcess : public testing::Test {
 protected:
  CopiedProcess() {
    auto [ours, peers] = base::make_socket_pair();
    peer_ = std::move(peers);
    base::set_nonblocking(peer_.get(), true);
    connection_ = FrameConnection::open(
        loop_, std::move(ours), "the peer", [this](const Frame& frame) { process_->take(frame); },
        [this](const base::Error& reason) { lost_ = reason; });
    process_.emplace(loop_, connection_, 1, [] {});
    const auto ends = process_->process_ends();
    in_ = base::duplicate(ends.in);
    out_ = base::duplicate(ends.out);
    base::set_nonblocking(in_.get(), true);
    process_->started();
    peer_hears();
  }

  void peer_says(FrameType type, std::string_view payload) {
    const auto frame = protocol::encode(type, 1, payload);
    auto rest = std::as_bytes(std::span(frame));
    while (!rest.empty()) {  // more than a socket holds is taken meanwhile
      if (const auto count = base::write_some(peer_.get(), rest)) rest = rest.subspan(*count);
      settle();
    }
  }
  void settle() {
    while (loop_.run_once(std::chrono::milliseconds(20))) {
    }
  }
  std::vector<Frame> peer_hears() {
    settle();
    std::vector<Frame> frames;
    std::array<std::byte, 65536> buffer{};
    while (const auto count = base::read_some(peer_.get(), buffer)) {
      decoder_.feed(std::span(buffer).first(*count),
                    [&](Frame frame) { frames.push_back(std::move(frame)); });
      settle();
    }
    return frames;
  }
  std::string all_output(const std::vector<Frame>& frames) {
    std::string text;
    for (const auto& frame : frames) {
      if (frame.type == FrameType::stdout_data) text += frame.payload;
    }
    return text;
  }
  void print(std::string_view text) { base::write_all(out_.get(), text); }
  std::string typed() {
    std::array<std::byte, 65536> buffer{};
    const auto count = base::read_some(in_.get(), buffer);
    return count ? std::string(reinterpret_cast<const char*>(buffer.data()), *count) : "(nothing)";
  }

  base::EventLoop loop_;
  base::Fd peer_;
  protocol::Decoder decoder_;
  std::shared_ptr<FrameConnection> connection_;
  std::optional<ServedProcess> process_;
  std::optional<base::Error> lost_;
  base::Fd in_;
  base::Fd out_;
};

// The former peer took all that it gave credit for, and more waits.
TEST_F(CopiedProcess, SendsNothingThatItPrintedBefore) {
  base::set_nonblocking(out_.get(), true);
  const std::string line(1000, 'x');
  const auto printed = [&] {
    try {
      return base::write_some(out_.get(), std::as_bytes(std::span(line))).has_value();
    } catch (const base::Error&) {
      return false;
    }
  };
  do {
    settle();
  } while (printed());
  EXPECT_EQ(protocol::stream_window, all_output(peer_hears()).size());

  process_->begin_anew();
  base::set_nonblocking(out_.get(), false);
  print("new");

  const auto frames = peer_hears();
  ASSERT_FALSE(frames.empty());
  EXPECT_EQ(FrameType::started, frames.front().type);
  EXPECT_EQ("new", all_output(frames));
}

TEST_F(CopiedProcess, TakesAWholeWindowOfInputAgain) {
  const std::string window(protocol::stream_window, 'i');
  peer_says(FrameType::stdin_data, window);
  while (typed() != "(nothing)") {  // what the former peer sent and the pipe had room for
  }
  process_->begin_anew();

  peer_says(FrameType::stdin_data, window);

  EXPECT_FALSE(lost_);
  EXPECT_EQ('i', typed().front());
}

TEST_F(CopiedProcess, SaysThatItsInputHasEndedAndTakesNoMore) {
  peer_says(FrameType::stdin_end, "");
  process_->begin_anew();
  peer_says(FrameType::stdin_data, "late");

  EXPECT_FALSE(lost_);
  const auto frames = peer_hears();
  const auto closed = std::ranges::find(frames, FrameType::stream_closed, &Frame::type);
  ASSERT_NE(frames.end(), closed);
  EXPECT_EQ(0U, protocol::read_u32(closed->payload, 0));
  EXPECT_EQ("", typed());
}

}  // namespace
}  // namespace twinbox::sandbox
