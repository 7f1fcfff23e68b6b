// Random drivers with a fixed seed: whatever they do, a device neither crashes nor hangs nor works
// without bound, and serves the next driver after a reset. Most useful under a sanitizer.
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "base/file.hpp"
#include "base/syscall.hpp"
#include "tests/support/fake_driver.hpp"
#include "vmm/virtio/attach.hpp"
#include "vmm/virtio/block.hpp"
#include "vmm/virtio/console.hpp"
#include "vmm/virtio/rng.hpp"

namespace twinbox::vmm::virtio {
namespace {

using std::chrono::milliseconds;

constexpr int drivers_per_device = 150;
constexpr int steps_per_driver = 60;
// Each step can cause a few turns of the loop at most; far beyond that, something spins.
constexpr int turns_per_step = 200;

class Fuzzer {
 public:
  Fuzzer(base::EventLoop& loop, tests::FakeGuest& guest, Attachment& device, std::uint32_t seed)
      : loop_(loop), guest_(guest), device_(device), random_(seed) {}

  std::uint64_t completions() const { return completions_; }

  void run() {
    for (int i = 0; i < drivers_per_device && !testing::Test::HasFatalFailure(); ++i) {
      tests::FakeDriver driver(guest_, device_.bus_device());
      drive(driver);
    }
  }

 private:
  std::uint64_t below(std::uint64_t limit) {
    return std::uniform_int_distribution<std::uint64_t>(0, limit - 1)(random_);
  }
  bool chance(unsigned percent) { return below(100) < percent; }

  void drive(tests::FakeDriver& driver) {
    hostility_ = static_cast<unsigned>(below(4) * below(8));
    driver.negotiate(chance(50) ? abi::feature_event_index : 0);
    std::vector<QueueLayout> queues;
    for (std::uint16_t index = 0; index < device_.device().queue_sizes().size(); ++index) {
      queues.push_back(random_queue(device_.device().queue_sizes()[index]));
      driver.describe_queue(index, queues.back());
      driver.write(abi::mmio::queue_ready, 1);
    }
    driver.add_status(abi::status_driver_ok);
    for (int step = 0; step < steps_per_driver; ++step) {
      const auto index = static_cast<std::uint16_t>(below(queues.size()));
      disturb(queues[index]);
      if (chance(5)) random_register(driver);
      driver.notify(index);
      int turns = 0;
      while (loop_.run_once(milliseconds(0))) ASSERT_LT(++turns, turns_per_step);
    }
    for (const QueueLayout& queue : queues) {
      completions_ +=
          guest_.memory().read_object<std::uint16_t>({queue.used.value + 2}).value_or(0);
    }
    driver.write(abi::mmio::status, 0);
  }

  // Rings in the lowest 64 KiB, so that queues, tables and buffers often overlap.
  QueueLayout random_queue(std::uint16_t size_max) {
    QueueLayout layout;
    layout.size = static_cast<std::uint16_t>(1U << below(4));
    if (layout.size > size_max) layout.size = size_max;
    layout.descriptors.value = below(4000) * 16;
    layout.available.value = below(32000) * 2;
    layout.used.value = below(16000) * 4;
    guest_.memory().write_object(GuestAddress{layout.used.value + 2}, std::uint16_t{0});
    return layout;
  }

  std::uint64_t random_address() {
    switch (below(4)) {
      case 0:
        return random_();
      case 1:
        return guest_.ram_size() - below(64);
      case 2:
        return std::uint64_t{random_()} << 32 | random_();
      default:
        return below(65536);
    }
  }

  abi::Descriptor hostile_descriptor() {
    const auto length = static_cast<std::uint32_t>(chance(70) ? below(5000) : random_());
    return {random_address(), chance(30) ? length / 16 * 16 : length,
            static_cast<std::uint16_t>(below(8)), static_cast<std::uint16_t>(random_())};
  }

  // Mostly harmless, and often enough a chain that a device can serve.
  abi::Descriptor decent_descriptor(std::uint16_t index, std::uint16_t size) {
    const bool writes = index >= size / 2;
    auto flags = static_cast<std::uint16_t>(writes ? abi::descriptor_write : 0);
    if (index + 1 < size && chance(70)) flags |= abi::descriptor_next;
    const auto length = static_cast<std::uint32_t>(chance(50) ? 16 : below(5000));
    return {65536 + below(65536), length, flags, static_cast<std::uint16_t>(index + 1)};
  }

  void disturb(const QueueLayout& queue) {
    for (std::uint16_t i = 0; i < queue.size; ++i) {
      if (chance(50)) continue;
      guest_.memory().write_object(
          GuestAddress{queue.descriptors.value + 16U * i},
          chance(hostility_) ? hostile_descriptor() : decent_descriptor(i, queue.size));
    }
    for (std::uint16_t i = 0; i < queue.size; ++i) {
      const auto head =
          static_cast<std::uint16_t>(chance(hostility_) ? random_() : below(queue.size));
      guest_.memory().write_object(GuestAddress{queue.available.value + 4 + 2U * i}, head);
    }
    // What a block or console header may look like, where buffers often lie.
    for (int i = 0; i < 100; ++i) {
      guest_.memory().write_object(GuestAddress{65536 + below(65536 - 8)}, below(12));
    }
    const auto used = guest_.memory().read_object<std::uint16_t>({queue.used.value + 2});
    const auto ahead =
        static_cast<std::uint16_t>(chance(hostility_) ? random_() : below(queue.size + 1U));
    guest_.memory().write_object(GuestAddress{queue.available.value + 2},
                                 static_cast<std::uint16_t>(used.value_or(0) + ahead));
  }

  void random_register(tests::FakeDriver& driver) {
    driver.write(below(0x140) / 4 * 4,
                 static_cast<std::uint32_t>(chance(50) ? below(16) : random_()));
    driver.read(below(0x140));
  }

  base::EventLoop& loop_;
  tests::FakeGuest& guest_;
  Attachment& device_;
  std::mt19937 random_;
  unsigned hostility_ = 0;  // per cent of what is written at random
  std::uint64_t completions_ = 0;
};

class FuzzTest : public testing::TestWithParam<std::uint32_t> {
 protected:
  void fuzz(std::unique_ptr<VirtioDevice> device) {
    Attachment attachment(loop_, guest_.memory(), std::move(device), [] {});
    Fuzzer fuzzer(loop_, guest_, attachment, GetParam());
    fuzzer.run();
    expect_tried(fuzzer, attachment.device());
    expect_usable(attachment);
  }
  static void expect_tried(const Fuzzer& fuzzer, const VirtioDevice& device) {
    // Otherwise nothing much was tried.
    EXPECT_GT(device.faults(), 50U);
    if (device.type() == abi::type_block) return;  // its worker may lose to a reset
    EXPECT_GT(fuzzer.completions(), 50U);
  }
  // A decent driver gets its device all the same.
  void expect_usable(Attachment& attachment) {
    tests::FakeDriver driver(guest_, attachment.bus_device());
    driver.start();
    EXPECT_EQ(driver.status(), 0x0fU);
  }

  base::EventLoop loop_;
  tests::FakeGuest guest_;
};

TEST_P(FuzzTest, Rng) { fuzz(std::make_unique<Rng>()); }

TEST_P(FuzzTest, Block) {
  const base::TemporaryDirectory directory;
  const std::string path = directory.path() / "disk";
  base::write_file(path, std::string(1 << 20, 'd'));
  fuzz(std::make_unique<Block>(loop_, open_disk(path, BlockAccess::read_write)));
  EXPECT_EQ(std::filesystem::file_size(path), 1U << 20);
}

TEST_P(FuzzTest, Console) {
  auto [quiet_peer, quiet] = base::make_socket_pair();
  auto [chatty_peer, chatty] = base::make_socket_pair();
  base::write_all(chatty_peer.get(), std::string(64 << 10, 'c'));
  fuzz(std::make_unique<virtio::Console>(
      loop_, std::vector<virtio::Console::Port>{{"quiet", quiet.get()}, {"chatty", chatty.get()}}));
}

INSTANTIATE_TEST_SUITE_P(Seeds, FuzzTest, testing::Values(1U, 2U, 3U));

}  // namespace
}  // namespace twinbox::vmm::virtio
