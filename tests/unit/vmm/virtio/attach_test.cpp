#include "vmm/virtio/attach.hpp"

#include <gtest/gtest.h>

#include <chrono>

#include "base/syscall.hpp"
#include "tests/support/fake_driver.hpp"
#include "vmm/virtio/rng.hpp"

namespace twinbox::vmm::virtio {
namespace {

using std::chrono::milliseconds;
using tests::writable;

class AttachmentTest : public testing::Test {
 protected:
  base::EventLoop loop_;
  tests::FakeGuest guest_;
  int interrupts_ = 0;
  Attachment rng_{loop_, guest_.memory(), std::make_unique<Rng>(), [this] { ++interrupts_; }};
  tests::FakeDriver driver_{guest_, rng_.bus_device()};
};

TEST_F(AttachmentTest, NotificationOnTheBusIsServedByTheLoop) {
  driver_.start();
  driver_.queue(0).send({writable(guest_, 16)});
  driver_.notify(0);
  EXPECT_EQ(driver_.queue(0).used_index(), 0);  // not in the vCPU's thread
  EXPECT_TRUE(loop_.run_once(milliseconds(30'000)));
  EXPECT_EQ(driver_.queue(0).take_used()->length, 16U);
  EXPECT_EQ(interrupts_, 1);
}

TEST_F(AttachmentTest, DoorbellIsAsGoodAsTheBus) {
  driver_.start();
  const auto bells = rng_.doorbells();
  ASSERT_EQ(bells.size(), 1U);
  EXPECT_EQ(bells[0].offset, 0x50U);
  EXPECT_EQ(bells[0].value, 0U);
  for (int round = 1; round <= 3; ++round) {
    driver_.queue(0).send({writable(guest_, 16)});
    base::signal_eventfd(bells[0].descriptor);
    EXPECT_TRUE(loop_.run_once(milliseconds(30'000)));
    EXPECT_EQ(driver_.queue(0).used_index(), round);
  }
}

TEST_F(AttachmentTest, LoopIsQuietOnceAllIsServed) {
  driver_.start();
  driver_.notify(0);
  EXPECT_TRUE(loop_.run_once(milliseconds(30'000)));
  EXPECT_FALSE(loop_.run_once(milliseconds(20)));
}

TEST(Attachment, LeavesTheLoopWhenItEnds) {
  base::EventLoop loop;
  tests::FakeGuest guest;
  int descriptor = -1;
  {
    const Attachment rng(loop, guest.memory(), std::make_unique<Rng>(), [] {});
    descriptor = rng.doorbells()[0].descriptor;
    EXPECT_TRUE(loop.watches(descriptor));
  }
  EXPECT_FALSE(loop.watches(descriptor));
}

}  // namespace
}  // namespace twinbox::vmm::virtio
