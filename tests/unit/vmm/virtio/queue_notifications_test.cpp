// When driver and device tell each other of chains (virtio 1.2, 2.7.7 and 2.7.10).
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <utility>

#include "tests/support/fake_guest.hpp"
#include "vmm/virtio/queue.hpp"

namespace twinbox::vmm::virtio {
namespace {

using tests::FakeGuest;
using tests::QueueDriver;
using tests::readable;
using tests::writable;

constexpr std::uint16_t size = 8;

// False after a minute; gives the processor away only now and then.
template <typename Condition>
bool spin_until(Condition condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  for (unsigned turn = 1; !condition(); ++turn) {
    if (turn % 100 != 0) continue;
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

class QueueNotifications : public testing::Test {
 protected:
  FakeGuest guest_{1 << 20};
  QueueDriver driver_{guest_, size};
};

TEST_F(QueueNotifications, FlagsForbidNotifications) {
  Queue queue = driver_.open();
  queue.disable_notifications();
  EXPECT_TRUE(driver_.notifications_forbidden());
  EXPECT_FALSE(queue.enable_notifications());
  EXPECT_FALSE(driver_.notifications_forbidden());
}

TEST_F(QueueNotifications, EnablingTellsOfAChainThatCameBefore) {
  for (const bool event_index : {false, true}) {
    QueueDriver driver(guest_, size);
    Queue queue = driver.open({.event_index = event_index});
    queue.disable_notifications();
    driver.send({readable(guest_, "x")});
    EXPECT_TRUE(queue.enable_notifications());
  }
}

TEST_F(QueueNotifications, EventIndexAsksForTheNextChain) {
  Queue queue = driver_.open({.event_index = true});
  for (int i = 0; i < 3; ++i) {
    driver_.send({readable(guest_, "x")});
    queue.complete(*queue.pop(), 0);
  }
  EXPECT_FALSE(queue.enable_notifications());
  EXPECT_EQ(driver_.available_event(), 3);
  EXPECT_FALSE(driver_.notifications_forbidden());
}

TEST_F(QueueNotifications, InterruptIsWantedUnlessForbidden) {
  Queue queue = driver_.open();
  EXPECT_FALSE(queue.interrupt_wanted());  // nothing was completed
  driver_.send({readable(guest_, "x")});
  queue.complete(*queue.pop(), 0);
  EXPECT_TRUE(queue.interrupt_wanted());
  EXPECT_FALSE(queue.interrupt_wanted());  // already told
  driver_.forbid_interrupts(true);
  driver_.send({readable(guest_, "x")});
  queue.complete(*queue.pop(), 0);
  EXPECT_FALSE(queue.interrupt_wanted());
}

TEST_F(QueueNotifications, EventIndexWantsAnInterruptWhenItIsPassed) {
  Queue queue = driver_.open({.event_index = true});
  const auto complete = [&](int count) {
    for (int i = 0; i < count; ++i) {
      driver_.send({readable(guest_, "x")});
      queue.complete(*queue.pop(), 0);
    }
  };
  driver_.set_used_event(2);  // when the completion numbered 2, the third, is there
  complete(2);
  EXPECT_FALSE(queue.interrupt_wanted());
  complete(1);
  EXPECT_TRUE(queue.interrupt_wanted());
  complete(1);
  EXPECT_FALSE(queue.interrupt_wanted());
  driver_.set_used_event(5);
  complete(3);  // numbers 4 to 6: passed in the middle of a batch
  EXPECT_TRUE(queue.interrupt_wanted());
}

TEST_F(QueueNotifications, EventIndexWorksAcrossTheWrap) {
  Queue queue = driver_.open({.event_index = true});
  for (int i = 0; i < 65535; ++i) {
    driver_.publish(0);
    queue.complete(*queue.pop(), 0);
  }
  driver_.set_used_event(0);
  queue.interrupt_wanted();
  driver_.set_used_event(65535);
  driver_.publish(0);
  queue.complete(*queue.pop(), 0);
  EXPECT_TRUE(queue.interrupt_wanted());
  driver_.publish(0);
  queue.complete(*queue.pop(), 0);
  EXPECT_FALSE(queue.interrupt_wanted());
}

// Driver and device on two processors, with one chain at a time: each goes to sleep as soon as it
// has nothing to do, and only the other can wake it. Without the full fence both can sleep, each
// having missed the other's last step.
TEST_F(QueueNotifications, NoWakeUpIsLostBetweenTwoProcessors) {
  constexpr unsigned rounds = 50'000;
  QueueDriver driver(guest_, 1);
  Queue queue = driver.open({.event_index = true});
  std::atomic<unsigned> doorbell = 0;
  std::atomic<bool> over = false;
  std::thread device([&] {
    for (unsigned heard = 0; !over;) {
      do {
        while (auto chain = queue.pop()) queue.complete(std::move(*chain), 0);
      } while (queue.enable_notifications());
      spin_until([&] { return over || doorbell != heard; });
      heard = doorbell;
    }
  });
  unsigned lost = rounds;
  for (unsigned i = 0; i < rounds && lost == rounds; ++i) {
    driver.publish(0);
    if (driver.available_event() == static_cast<std::uint16_t>(i)) ++doorbell;
    if (!spin_until([&] { return driver.used_index() == driver.available_index(); })) lost = i;
  }
  over = true;
  device.join();
  EXPECT_EQ(lost, rounds) << "the device slept over this chain";
}

}  // namespace
}  // namespace twinbox::vmm::virtio
