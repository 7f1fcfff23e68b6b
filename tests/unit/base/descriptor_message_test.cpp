#include "base/descriptor_message.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <array>
#include <string_view>

#include "base/error.hpp"
#include "base/syscall.hpp"

namespace twinbox::base {
namespace {

class DescriptorMessage : public ::testing::Test {
 protected:
  std::optional<std::vector<Fd>> receive() {
    return receive_with_descriptors(socket_.second.get(), std::as_writable_bytes(std::span(text_)));
  }
  void send(std::string_view text, std::span<const int> descriptors) {
    send_with_descriptors(socket_.first.get(), std::as_bytes(std::span(text)), descriptors);
  }

  std::pair<Fd, Fd> socket_ = make_socket_pair();
  std::array<char, 4> text_{};
};

TEST_F(DescriptorMessage, HandsDescriptorsOver) {
  auto [reads, writes] = make_pipe();
  const std::array descriptors{writes.get(), reads.get()};
  send("four", descriptors);
  const auto got = receive();
  ASSERT_TRUE(got);
  ASSERT_EQ(2U, got->size());
  EXPECT_EQ("four", std::string_view(text_.data(), text_.size()));
  EXPECT_NE(0, ::fcntl((*got)[0].get(), F_GETFD) & FD_CLOEXEC);
  write_all((*got)[0].get(), std::string_view("through"));
  writes.reset();
  const auto& other = (*got)[1];
  std::array<std::byte, 7> bytes{};
  EXPECT_EQ(7U, read_some(other.get(), bytes));
}

TEST_F(DescriptorMessage, MayHaveNone) {
  send("four", {});
  const auto got = receive();
  ASSERT_TRUE(got);
  EXPECT_TRUE(got->empty());
}

TEST_F(DescriptorMessage, OfASenderThatIsGoneIsNone) {
  send("fo", {});
  socket_.first.reset();
  EXPECT_FALSE(receive());
  EXPECT_FALSE(receive());
}

TEST_F(DescriptorMessage, IsNotWaitedForLongerThanTheSocketDoes) {
  const timeval shortly{.tv_sec = 0, .tv_usec = 10'000};
  ASSERT_EQ(0,
            ::setsockopt(socket_.second.get(), SOL_SOCKET, SO_RCVTIMEO, &shortly, sizeof shortly));
  EXPECT_FALSE(receive());
}

TEST_F(DescriptorMessage, ToAReceiverThatIsGoneIsAnError) {
  socket_.second.reset();
  EXPECT_THROW(send("four", {}), Error);
}

}  // namespace
}  // namespace twinbox::base
