#include "vmm/virtio/rng.hpp"

#include <gtest/gtest.h>

#include <string>

#include "tests/support/fake_guest.hpp"
#include "tests/support/fake_link.hpp"

namespace twinbox::vmm::virtio {
namespace {

using tests::readable;
using tests::writable;

class RngTest : public testing::Test {
 protected:
  void SetUp() override { activate(); }
  void activate() {
    std::vector<Queue> queues;
    queues.push_back(driver_.open({.indirect = true}));
    rng_.activate(std::move(queues), link_);
  }
  tests::FakeGuest guest_;
  tests::QueueDriver driver_{guest_, 8};
  tests::FakeLink link_;
  Rng rng_;
};

TEST_F(RngTest, FillsTheBufferWithDifferentBytes) {
  const auto buffer = writable(guest_, 64);
  driver_.send({buffer});
  rng_.process_queue(0);
  ASSERT_EQ(driver_.take_used()->length, 64U);
  const std::string first = guest_.text(buffer.address, 64);
  EXPECT_NE(first, std::string(64, '\0'));
  driver_.send({buffer});
  rng_.process_queue(0);
  EXPECT_NE(guest_.text(buffer.address, 64), first);
  EXPECT_EQ(link_.interrupts, 2);
}

TEST_F(RngTest, FillsSeveralBuffers) {
  driver_.send({writable(guest_, 10), writable(guest_, 20)});
  rng_.process_queue(0);
  EXPECT_EQ(driver_.take_used()->length, 30U);
}

TEST_F(RngTest, LargeRequestIsCapped) {
  const auto buffer = writable(guest_, 1 << 20);
  driver_.send({buffer});
  rng_.process_queue(0);
  EXPECT_EQ(driver_.take_used()->length, Rng::max_request);
  const auto beyond = GuestAddress{buffer.address.value + Rng::max_request};
  EXPECT_EQ(guest_.text(beyond, 64), std::string(64, '\0'));
}

TEST_F(RngTest, RequestWithoutRoomIsGivenBackEmpty) {
  driver_.send({readable(guest_, "x")});
  rng_.process_queue(0);
  EXPECT_EQ(driver_.take_used()->length, 0U);
  EXPECT_EQ(rng_.faults(), 1U);
  EXPECT_EQ(link_.resets_asked, 0);
}

TEST_F(RngTest, HasNoFeaturesOfItsOwn) {
  EXPECT_EQ(rng_.features(), 0U);
  EXPECT_EQ(rng_.type(), 4U);
  EXPECT_TRUE(rng_.config().empty());
}

}  // namespace
}  // namespace twinbox::vmm::virtio
