#include "vmm/virtio/mmio.hpp"

#include <gtest/gtest.h>

#include <array>

#include "base/syscall.hpp"
#include "tests/support/fake_driver.hpp"
#include "tests/support/fake_guest.hpp"

namespace twinbox::vmm::virtio {
namespace {

namespace mmio = abi::mmio;
using tests::readable;

constexpr std::uint32_t ones = 0xffff'ffff;
constexpr std::uint64_t own_feature = 1ULL << 5 | 1ULL << 40;

// Gives every chain back at once.
class Echo final : public VirtioDevice {
 public:
  std::uint32_t type() const override { return 42; }
  std::uint64_t features() const override { return own_feature; }
  std::span<const std::uint16_t> queue_sizes() const override { return sizes_; }
  std::span<const std::byte> config() const override { return config_; }

 private:
  void on_queue(std::uint16_t index) override {
    serve_chains(index, [&](DescriptorChain chain) { queue(index).complete(std::move(chain), 0); });
  }
  static constexpr std::array<std::uint16_t, 2> sizes_{16, 4};
  static constexpr std::array<std::byte, 6> config_{std::byte{1}, std::byte{2}, std::byte{3},
                                                    std::byte{4}, std::byte{5}, std::byte{6}};
};

class MmioTest : public testing::Test {
 protected:
  bool rung(std::uint16_t queue) {
    return base::drain_eventfd(transport_.notify_descriptor(queue)) != 0;
  }
  // Brings the driver to where queues may be set up.
  void negotiate() {
    driver_.negotiate();
    ASSERT_EQ(driver_.status(), 0x0bU);
  }

  tests::FakeGuest guest_;
  int interrupts_ = 0;
  Echo device_;
  MmioTransport transport_{guest_.memory(), device_, [this] { ++interrupts_; }};
  tests::FakeDriver driver_{guest_, transport_};
};

// --- What a driver reads first ---

TEST_F(MmioTest, IdentifiesItself) {
  EXPECT_EQ(driver_.read(mmio::magic), 0x74726976U);
  EXPECT_EQ(driver_.read(mmio::version), 2U);
  EXPECT_EQ(driver_.read(mmio::device_id), 42U);
  EXPECT_NE(driver_.read(mmio::vendor_id), 0U);
  EXPECT_EQ(driver_.status(), 0U);
}

TEST_F(MmioTest, OffersItsFeaturesAndTheRings) {
  EXPECT_EQ(driver_.offered_features(), own_feature | abi::feature_version_1 |
                                            abi::feature_event_index | abi::feature_indirect);
  driver_.write(mmio::device_features_select, 2);
  EXPECT_EQ(driver_.read(mmio::device_features), 0U);
}

TEST_F(MmioTest, ConfigurationIsReadInAnySize) {
  std::uint8_t byte = 0;
  transport_.read(mmio::config + 2, std::as_writable_bytes(std::span(&byte, 1)));
  EXPECT_EQ(byte, 3);
  std::uint16_t half = 0;
  transport_.read(mmio::config + 4, std::as_writable_bytes(std::span(&half, 1)));
  EXPECT_EQ(half, 0x0605);
  EXPECT_EQ(driver_.read(mmio::config), 0x04030201U);
  EXPECT_EQ(driver_.read(mmio::config_generation), 0U);
}

TEST_F(MmioTest, BeyondTheConfigurationAreAllOnes) {
  EXPECT_EQ(driver_.read(mmio::config + 4), 0xffff0605U);
  EXPECT_EQ(driver_.read(mmio::config + 8), ones);
  EXPECT_EQ(driver_.read(0xffc), ones);
}

TEST_F(MmioTest, ConfigurationIsReadOnly) {
  driver_.write(mmio::config, 0);
  EXPECT_EQ(driver_.read(mmio::config), 0x04030201U);
  EXPECT_EQ(transport_.violations(), 1U);
}

TEST_F(MmioTest, OddAccessesReadAllOnesAndWriteNothing) {
  for (const std::size_t size : {1U, 2U, 3U, 5U, 8U}) {
    std::array<std::byte, 8> data{};
    transport_.read(mmio::magic, std::span(data).first(size));
    for (std::size_t i = 0; i < size; ++i) EXPECT_EQ(data[i], std::byte{0xff}) << size;
    data.fill(std::byte{1});
    transport_.write(mmio::status, std::span(data).first(size));
  }
  EXPECT_EQ(driver_.read(mmio::magic + 2), ones);  // not aligned
  EXPECT_EQ(driver_.status(), 0U);
}

TEST_F(MmioTest, UnknownAndWriteOnlyRegistersReadAllOnes) {
  for (const std::uint64_t offset : {0x018ULL, 0x028ULL, 0x050ULL, 0x064ULL, 0x080ULL, 0x0b0ULL}) {
    EXPECT_EQ(driver_.read(offset), ones) << offset;
  }
}

// --- The status ---

TEST_F(MmioTest, StepsInOrderAreAccepted) {
  for (const std::uint32_t status : {0x01U, 0x03U}) {
    driver_.write(mmio::status, status);
    EXPECT_EQ(driver_.status(), status);
  }
  driver_.accept_features(abi::feature_version_1);
  driver_.write(mmio::status, 0x0b);
  EXPECT_EQ(driver_.status(), 0x0bU);
  driver_.write(mmio::status, 0x0f);
  EXPECT_EQ(driver_.status(), 0x0fU);
  EXPECT_TRUE(device_.active());
  EXPECT_EQ(transport_.violations(), 0U);
}

TEST_F(MmioTest, StepsOutOfOrderAreIgnored) {
  driver_.write(mmio::status, 0x02);  // DRIVER without ACKNOWLEDGE
  EXPECT_EQ(driver_.status(), 0U);
  driver_.write(mmio::status, 0x03);
  driver_.write(mmio::status, 0x07);  // DRIVER_OK without FEATURES_OK
  EXPECT_EQ(driver_.status(), 0x03U);
  EXPECT_FALSE(device_.active());
  EXPECT_EQ(transport_.violations(), 2U);
}

TEST_F(MmioTest, BitsAreClearedByResetOnly) {
  negotiate();
  driver_.write(mmio::status, 0x03);
  EXPECT_EQ(driver_.status(), 0x0bU);
  driver_.write(mmio::status, 0);
  EXPECT_EQ(driver_.status(), 0U);
}

TEST_F(MmioTest, FailedDriverIsRemembered) {
  driver_.write(mmio::status, 0x03);
  driver_.write(mmio::status, 0x83);
  EXPECT_EQ(driver_.status(), 0x83U);
}

TEST_F(MmioTest, DriverCannotSetNeedsReset) {
  driver_.write(mmio::status, 0x41);
  EXPECT_EQ(driver_.status(), 0x01U);
}

// --- Features ---

TEST_F(MmioTest, Version1IsRequired) {
  driver_.negotiate(abi::feature_version_1);
  EXPECT_EQ(driver_.status(), 0x03U);
  driver_.add_status(abi::status_driver_ok);
  EXPECT_FALSE(device_.active());
}

TEST_F(MmioTest, UnofferedFeatureIsRefused) {
  driver_.write(mmio::status, 0x03);
  driver_.accept_features(abi::feature_version_1 | 1ULL << 33);
  driver_.write(mmio::status, 0x0b);
  EXPECT_EQ(driver_.status(), 0x03U);
  // The driver may think again.
  driver_.accept_features(abi::feature_version_1);
  driver_.write(mmio::status, 0x0b);
  EXPECT_EQ(driver_.status(), 0x0bU);
}

TEST_F(MmioTest, FeaturesAreChosenWhileNegotiatingOnly) {
  driver_.accept_features(abi::feature_version_1);  // before DRIVER
  driver_.write(mmio::status, 0x03);
  driver_.write(mmio::status, 0x0b);
  EXPECT_EQ(driver_.status(), 0x03U);  // so VERSION_1 is missing
  negotiate();
  const auto before = transport_.violations();
  driver_.accept_features(0);  // after FEATURES_OK
  EXPECT_EQ(transport_.violations(), before + 2);
  driver_.add_status(abi::status_driver_ok);
  EXPECT_TRUE(device_.active());
}

TEST_F(MmioTest, FeatureWordsBeyondTheSecondAreRefused) {
  driver_.write(mmio::status, 0x03);
  driver_.write(mmio::driver_features_select, 34);
  driver_.write(mmio::driver_features, ones);
  driver_.accept_features(abi::feature_version_1);
  driver_.write(mmio::status, 0x0b);
  EXPECT_EQ(driver_.status(), 0x0bU);
}

// --- Queues ---

TEST_F(MmioTest, QueueSelectionIsBounded) {
  driver_.write(mmio::queue_select, 1);
  EXPECT_EQ(driver_.read(mmio::queue_size_max), 4U);
  for (const std::uint32_t queue : {2U, 1000U, ones}) {
    driver_.write(mmio::queue_select, queue);
    EXPECT_EQ(driver_.read(mmio::queue_size_max), 0U);
    EXPECT_EQ(driver_.read(mmio::queue_ready), 0U);
    driver_.write(mmio::queue_size, 4);
    driver_.write(mmio::queue_ready, 1);
  }
}

TEST_F(MmioTest, QueueIsSetUpOnlyAfterFeaturesOk) {
  driver_.write(mmio::status, 0x03);
  driver_.set_up_queue(0);
  EXPECT_EQ(driver_.read(mmio::queue_ready), 0U);
  negotiate();
  driver_.set_up_queue(0);
  EXPECT_EQ(driver_.read(mmio::queue_ready), 1U);
}

TEST_F(MmioTest, NoQueueIsChangedAfterDriverOk) {
  driver_.start();
  ASSERT_TRUE(device_.active());
  auto& queue = driver_.queue(0);
  const auto before = transport_.violations();
  driver_.write(mmio::queue_select, 0);
  driver_.write(mmio::queue_descriptors_low, 0);
  driver_.write(mmio::queue_size, 2);
  driver_.write(mmio::queue_ready, 0);
  EXPECT_EQ(transport_.violations(), before + 3);
  EXPECT_EQ(driver_.read(mmio::queue_ready), 1U);
  queue.send({readable(guest_, "x")});
  transport_.process_queue(0);
  EXPECT_EQ(queue.used_index(), 1);
}

TEST_F(MmioTest, ReadyQueueIsNotChanged) {
  negotiate();
  driver_.set_up_queue(0);
  const auto before = transport_.violations();
  driver_.write(mmio::queue_used_low, 0);
  EXPECT_EQ(transport_.violations(), before + 1);
}

TEST_F(MmioTest, QueueMayBeTakenBackBeforeDriverOk) {
  negotiate();
  driver_.set_up_queue(0);
  driver_.write(mmio::queue_ready, 0);
  EXPECT_EQ(driver_.read(mmio::queue_ready), 0U);
}

TEST_F(MmioTest, BadQueuesNeverBecomeReady) {
  negotiate();
  const tests::QueueDriver good(guest_, 16);
  const auto becomes_ready = [&](auto change) {
    QueueLayout layout = good.layout();
    change(layout);
    driver_.describe_queue(0, layout);
    driver_.write(mmio::queue_ready, 1);
    const bool ready = driver_.read(mmio::queue_ready) == 1;
    driver_.write(mmio::queue_ready, 0);
    return ready;
  };
  EXPECT_TRUE(becomes_ready([](QueueLayout&) {}));
  EXPECT_FALSE(becomes_ready([](QueueLayout& l) { l.size = 32; }));  // above the maximum
  EXPECT_FALSE(becomes_ready([](QueueLayout& l) { l.size = 0; }));
  EXPECT_FALSE(becomes_ready([](QueueLayout& l) { l.size = 3; }));
  EXPECT_FALSE(becomes_ready([](QueueLayout& l) { l.used.value = 0xffff'ffff'ffff'fff0; }));
  EXPECT_FALSE(becomes_ready([](QueueLayout& l) { l.descriptors.value += 4; }));
  EXPECT_TRUE(becomes_ready([](QueueLayout& l) { l.size = 8; }));
}

TEST_F(MmioTest, HugeQueueSizeIsNotCutToALegalOne) {
  negotiate();
  driver_.describe_queue(0, tests::QueueDriver(guest_, 16).layout());
  driver_.write(mmio::queue_size, 0x1'0008);
  driver_.write(mmio::queue_ready, 1);
  EXPECT_EQ(driver_.read(mmio::queue_ready), 0U);
}

TEST_F(MmioTest, DeviceRunsWithoutTheQueuesThatWereNotSetUp) {
  negotiate();
  auto& queue = driver_.set_up_queue(1);
  driver_.add_status(abi::status_driver_ok);
  queue.send({readable(guest_, "x")});
  transport_.process_queue(0);
  transport_.process_queue(1);
  EXPECT_EQ(queue.used_index(), 1);
}

// --- Notifications and interrupts ---

TEST_F(MmioTest, NotificationRingsItsQueuesBellOnly) {
  driver_.start();
  driver_.notify(1);
  EXPECT_FALSE(rung(0));
  EXPECT_TRUE(rung(1));
}

TEST_F(MmioTest, NotificationOfNoQueueIsIgnored) {
  driver_.start();
  for (const std::uint32_t queue : {2U, 0x1'0000U, ones}) driver_.write(mmio::queue_notify, queue);
  EXPECT_FALSE(rung(0));
  EXPECT_FALSE(rung(1));
  EXPECT_EQ(transport_.violations(), 3U);
}

TEST_F(MmioTest, UsedBufferInterruptsAndIsAcknowledged) {
  driver_.start();
  driver_.queue(0).send({readable(guest_, "x")});
  transport_.process_queue(0);
  EXPECT_EQ(interrupts_, 1);
  EXPECT_EQ(driver_.read(mmio::interrupt_status), 1U);
  driver_.write(mmio::interrupt_acknowledge, 2);  // not what was raised
  EXPECT_EQ(driver_.read(mmio::interrupt_status), 1U);
  driver_.write(mmio::interrupt_acknowledge, 1);
  EXPECT_EQ(driver_.read(mmio::interrupt_status), 0U);
}

TEST_F(MmioTest, NotificationBeforeDriverOkIsServedAfterIt) {
  negotiate();
  auto& queue = driver_.set_up_queue(0);
  queue.send({readable(guest_, "x")});
  driver_.notify(0);
  ASSERT_TRUE(rung(0));
  transport_.process_queue(0);
  EXPECT_EQ(queue.used_index(), 0);
  driver_.add_status(abi::status_driver_ok);
  ASSERT_TRUE(rung(0));
  EXPECT_FALSE(rung(1));
  transport_.process_queue(0);
  EXPECT_EQ(queue.used_index(), 1);
}

// --- Trouble and reset ---

TEST_F(MmioTest, MalformedChainAsksForAResetAndStopsTheQueue) {
  driver_.start();
  auto& queue = driver_.queue(0);
  queue.publish(16);
  transport_.process_queue(0);
  EXPECT_EQ(driver_.status(), 0x4fU);
  EXPECT_EQ(driver_.read(mmio::interrupt_status), 2U);  // a configuration change
  EXPECT_EQ(interrupts_, 1);
  queue.send({readable(guest_, "x")});
  transport_.process_queue(0);
  EXPECT_EQ(queue.used_index(), 0);
  EXPECT_EQ(interrupts_, 1);
  EXPECT_FALSE(rung(0));  // and nothing tries again
}

TEST_F(MmioTest, ResetMakesEverythingNew) {
  driver_.start();
  driver_.queue(0).publish(16);
  transport_.process_queue(0);
  driver_.write(mmio::status, 0);
  EXPECT_EQ(driver_.status(), 0U);
  EXPECT_EQ(driver_.read(mmio::interrupt_status), 0U);
  driver_.write(mmio::queue_select, 0);
  EXPECT_EQ(driver_.read(mmio::queue_ready), 0U);
  EXPECT_FALSE(device_.active());

  driver_.start();
  EXPECT_EQ(driver_.status(), 0x0fU);
  driver_.queue(0).send({readable(guest_, "again")});
  transport_.process_queue(0);
  EXPECT_EQ(driver_.queue(0).used_index(), 1);
}

// Linux takes its queues down after the reset, one by one, and checks that they are.
TEST_F(MmioTest, QueuesMayBeTakenDownAfterReset) {
  driver_.start();
  driver_.write(mmio::status, 0);
  const auto before = transport_.violations();
  driver_.write(mmio::queue_select, 1);
  driver_.write(mmio::queue_ready, 0);
  EXPECT_EQ(driver_.read(mmio::queue_ready), 0U);
  EXPECT_EQ(transport_.violations(), before);
}

TEST_F(MmioTest, ResetDeviceTouchesNoMemory) {
  driver_.start();
  auto& queue = driver_.queue(0);
  queue.send({readable(guest_, "x")});
  driver_.write(mmio::status, 0);
  transport_.process_queue(0);
  EXPECT_EQ(queue.used_index(), 0);
  EXPECT_EQ(interrupts_, 0);
}

}  // namespace
}  // namespace twinbox::vmm::virtio
