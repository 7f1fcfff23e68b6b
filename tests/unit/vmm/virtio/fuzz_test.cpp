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
    return layout;
  }

  std::uint64_t random_address() {
    switch (below(6)) {
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

  abi::Descriptor random_descriptor(std::uint16_t size) {
    const auto length = static_cast<std::uint32_t>(chance(90) ? below(5000) : random_());
    auto flags = static_cast<std::uint16_t>(below(8));
    if (chance(60)) flags &= abi::descriptor_next | abi::descriptor_write;
    return {random_address(), chance(30) ? length / 16 * 16 : length, flags,
            static_cast<std::uint16_t>(chance(95) ? below(size) : random_())};
  }

  void disturb(const QueueLayout& queue) {
    for (std::uint16_t i = 0; i < queue.size; ++i) {
      if (chance(50)) continue;
      guest_.memory().write_object(GuestAddress{queue.descriptors.value + 16U * i},
                                   random_descriptor(queue.size));
    }
    for (std::uint16_t i = 0; i < queue.size; ++i) {
      const auto head = static_cast<std::uint16_t>(chance(97) ? below(queue.size) : random_());
      guest_.memory().write_object(GuestAddress{queue.available.value + 4 + 2U * i}, head);
    }
    // What a block or console header may look like, where buffers often lie.
    guest_.memory().write_object(GuestAddress{below(65536 - 8)}, std::uint64_t{below(12)});
    const auto used = guest_.memory().read_object<std::uint16_t>({queue.used.value + 2});
    const auto ahead = static_cast<std::uint16_t>(chance(95) ? below(queue.size + 1U) : random_());
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
};

class FuzzTest : public testing::TestWithParam<std::uint32_t> {
 protected:
  void fuzz(std::unique_ptr<VirtioDevice> device) {
    Attachment attachment(loop_, guest_.memory(), std::move(device), [] {});
    Fuzzer(loop_, guest_, attachment, GetParam()).run();
    expect_usable(attachment);
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
  fuzz(std::make_unique<Block>(loop_, path, BlockAccess::read_write));
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
