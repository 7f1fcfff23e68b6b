// A stream's reading end at its end: what a writer has left behind, and who else still writes.
#include "sandbox/stream_relay.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/syscall.hpp"
#include "sandbox/protocol.hpp"

namespace twinbox::sandbox {
namespace {

// A source whose bytes are taken, and credited, at once.
class FinishedSource : public testing::Test {
 protected:
  FinishedSource() {
    auto [read, write] = base::make_pipe();
    base::set_nonblocking(read.get(), true);
    writer_ = std::move(write);
    source_.emplace(loop_, std::move(read),
                    StreamSource::Handlers{.send = [this](std::string_view bytes) { take(bytes); },
                                           .on_end = [this] { ended_ = true; }});
    source_->start();
  }

  void take(std::string_view bytes) {
    const auto here = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
    lowest_ = std::min(lowest_, here);
    highest_ = std::max(highest_, here);
    taken_ += bytes;
    if (on_taken_) on_taken_();
    source_->add_credit(static_cast<std::uint32_t>(bytes.size()));
  }
  void write(std::string_view bytes) const { base::write_all(writer_.get(), bytes); }

  base::EventLoop loop_;
  base::Fd writer_;
  std::optional<StreamSource> source_;
  std::string taken_;
  std::function<void()> on_taken_;
  bool ended_ = false;
  std::uintptr_t lowest_ = UINTPTR_MAX;
  std::uintptr_t highest_ = 0;
};

TEST_F(FinishedSource, TakesNoStackForEachPieceThatWasLeft) {
  // Each write is a piece of its own.
  ASSERT_EQ(::fcntl(writer_.get(), F_SETFL, O_DIRECT), 0);
  const int room = ::fcntl(writer_.get(), F_SETPIPE_SZ, 1 << 20);
  ASSERT_GT(room, 0);
  const std::string pieces(static_cast<std::size_t>(room) / 4096, 'x');
  for (const char c : pieces) write(std::string_view(&c, 1));

  source_->finish();

  EXPECT_EQ(pieces, taken_);
  EXPECT_TRUE(ended_);
  EXPECT_LT(highest_ - lowest_, 1024U);
}

TEST_F(FinishedSource, DoesNotWaitForWhoeverElseHasItsOtherEnd) {
  write("last words");
  on_taken_ = [this] { write("of another"); };

  source_->finish();

  EXPECT_EQ("last words", taken_);
  EXPECT_TRUE(ended_);
}

TEST_F(FinishedSource, SendsMoreThanAWindow) {
  on_taken_ = nullptr;
  ASSERT_GT(::fcntl(writer_.get(), F_SETPIPE_SZ, 1 << 20), 0);
  const std::string bytes(protocol::stream_window + 5000, 'y');
  base::set_nonblocking(writer_.get(), true);
  const auto written = base::write_some(writer_.get(), std::as_bytes(std::span(bytes)));
  ASSERT_TRUE(written);

  source_->finish();

  EXPECT_EQ(*written, taken_.size());
  EXPECT_TRUE(ended_);
}

TEST_F(FinishedSource, ThatHasNothingLeftEndsAtOnce) {
  source_->finish();
  EXPECT_TRUE(ended_);
  EXPECT_EQ("", taken_);
}

}  // namespace
}  // namespace twinbox::sandbox
