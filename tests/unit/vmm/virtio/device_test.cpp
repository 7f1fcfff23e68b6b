#include "vmm/virtio/device.hpp"

#include <gtest/gtest.h>

#include <array>
#include <functional>

#include "tests/support/fake_guest.hpp"
#include "tests/support/fake_link.hpp"

namespace twinbox::vmm::virtio {
namespace {

using tests::readable;

// Gives every chain back at once, and can let the driver refill the queue meanwhile.
class Echo final : public VirtioDevice {
 public:
  std::uint32_t type() const override { return 42; }
  std::uint64_t features() const override { return 0; }
  std::span<const std::uint16_t> queue_sizes() const override { return sizes_; }

  std::function<void()> on_serve = [] {};
  int served = 0;
  int resets = 0;

 private:
  void on_queue(std::uint16_t index) override {
    serve_chains(index, [&](DescriptorChain chain) {
      ++served;
      queue(index).complete(std::move(chain), 0);
      on_serve();
    });
  }
  void on_reset() override { ++resets; }

  static constexpr std::array<std::uint16_t, 2> sizes_{8, 8};
};

class DeviceTest : public testing::Test {
 protected:
  void activate() {
    std::vector<Queue> queues;
    queues.push_back(driver_.open({.event_index = true}));
    queues.emplace_back();
    device_.activate(std::move(queues), link_);
  }
  tests::FakeGuest guest_;
  tests::QueueDriver driver_{guest_, 8};
  tests::FakeLink link_;
  Echo device_;
};

TEST_F(DeviceTest, DoesNothingBeforeActivation) {
  driver_.send({readable(guest_, "x")});
  device_.process_queue(0);
  EXPECT_EQ(device_.served, 0);
  EXPECT_FALSE(device_.active());
}

TEST_F(DeviceTest, ServesAllThatIsThereWithOneInterrupt) {
  activate();
  for (int i = 0; i < 5; ++i) driver_.send({readable(guest_, "x")});
  device_.process_queue(0);
  EXPECT_EQ(device_.served, 5);
  EXPECT_EQ(link_.interrupts, 1);
  EXPECT_TRUE(link_.again.empty());
}

TEST_F(DeviceTest, UnknownOrMissingQueuesAreIgnored) {
  activate();
  device_.process_queue(1);
  device_.process_queue(2);
  device_.process_queue(65535);
  EXPECT_EQ(device_.served, 0);
  EXPECT_TRUE(link_.again.empty());
}

TEST_F(DeviceTest, QueueThatIsRefilledEndlesslyGetsTurnsOnly) {
  activate();
  device_.on_serve = [this] { driver_.send({readable(guest_, "x")}); };
  driver_.send({readable(guest_, "x")});
  device_.process_queue(0);
  EXPECT_EQ(device_.served, 8);
  EXPECT_EQ(link_.again, (std::vector<std::uint16_t>{0}));
  device_.on_serve = [] {};
  device_.process_queue(0);
  EXPECT_EQ(device_.served, 9);
}

TEST_F(DeviceTest, BrokenQueueAsksForAResetOnce) {
  activate();
  driver_.publish(100);
  device_.process_queue(0);
  device_.process_queue(0);
  EXPECT_EQ(link_.resets_asked, 1);
  EXPECT_EQ(device_.faults(), 1U);
}

TEST_F(DeviceTest, ChainsBeforeTheBrokenOneAreStillCompleted) {
  activate();
  driver_.send({readable(guest_, "x")});
  driver_.publish(100);
  device_.process_queue(0);
  EXPECT_EQ(device_.served, 1);
  EXPECT_EQ(driver_.used_index(), 1);
  EXPECT_EQ(link_.interrupts, 1);
  EXPECT_EQ(link_.resets_asked, 1);
}

TEST_F(DeviceTest, ResetForgetsTheDriver) {
  activate();
  driver_.send({readable(guest_, "x")});
  device_.reset();
  device_.process_queue(0);
  EXPECT_EQ(device_.served, 0);
  EXPECT_EQ(device_.resets, 1);
  device_.reset();
  EXPECT_EQ(device_.resets, 1);
}

}  // namespace
}  // namespace twinbox::vmm::virtio
