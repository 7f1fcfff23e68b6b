#include "vmm/virtio/block.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/file.hpp"
#include "base/syscall.hpp"
#include "tests/support/fake_driver.hpp"
#include "tests/support/no_threads.hpp"
#include "vmm/virtio/attach.hpp"

namespace twinbox::vmm::virtio {
namespace {

namespace block = abi::block;
using std::chrono::milliseconds;
using tests::Buffer;
using tests::readable;
using tests::writable;

class BlockTest : public testing::Test {
 protected:
  void open(BlockAccess access = BlockAccess::read_write) {
    base::write_file(path_, std::string(64 * 512, 'd'));
    attach(access);
  }
  void attach(BlockAccess access) {
    disk_.emplace(loop_, guest_.memory(), std::make_unique<Block>(loop_, open_disk(path_, access)),
                  [this] { ++interrupts_; });
    driver_.emplace(guest_, disk_->bus_device());
  }
  Buffer header(std::uint32_t type, std::uint64_t sector = 0) {
    const block::RequestHeader wire{type, 0, sector};
    return {guest_.place_object(wire), sizeof(wire), false};
  }
  bool await(const std::function<bool()>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!condition()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      loop_.run_once(milliseconds(20));
    }
    return true;
  }
  bool await_completions(int count) {
    return await([&] { return driver_->queue(0).used_index() == count; });
  }
  std::string text(const Buffer& buffer) { return guest_.text(buffer.address, buffer.length); }

  base::TemporaryDirectory directory_;
  std::string path_ = directory_.path() / "disk.img";
  base::EventLoop loop_;
  tests::FakeGuest guest_;
  std::atomic<int> interrupts_ = 0;
  std::optional<Attachment> disk_;
  std::optional<tests::FakeDriver> driver_;
};

TEST_F(BlockTest, TellsItsSizeAndFeatures) {
  open();
  EXPECT_EQ(driver_->read(abi::mmio::device_id), 2U);
  EXPECT_EQ(driver_->read(abi::mmio::config), 64U);
  EXPECT_EQ(driver_->read(abi::mmio::config + 4), 0U);
  EXPECT_EQ(driver_->read(abi::mmio::config + 12), Block::queue_size - 2U);
  const auto features = driver_->offered_features();
  EXPECT_NE(features & block::feature_flush, 0U);
  EXPECT_NE(features & block::feature_segment_max, 0U);
  EXPECT_EQ(features & block::feature_read_only, 0U);
}

TEST_F(BlockTest, ReadOnlyDiskSaysSo) {
  open(BlockAccess::read_only);
  EXPECT_NE(driver_->offered_features() & block::feature_read_only, 0U);
  driver_->start();
  const auto status = writable(guest_, 1);
  driver_->queue(0).send(
      {header(block::request_out), readable(guest_, std::string(512, 'X')), status});
  driver_->notify(0);
  ASSERT_TRUE(await_completions(1));
  EXPECT_EQ(text(status), std::string(1, '\1'));
  EXPECT_EQ(base::read_file(path_), std::string(64 * 512, 'd'));
}

TEST_F(BlockTest, WritesAndReadsBack) {
  open();
  driver_->start();
  const auto status = writable(guest_, 1);
  driver_->queue(0).send(
      {header(block::request_out, 5), readable(guest_, std::string(1024, 'W')), status});
  driver_->notify(0);
  ASSERT_TRUE(await_completions(1));
  EXPECT_EQ(text(status), std::string(1, '\0'));
  const auto data = writable(guest_, 512);
  driver_->queue(0).send_indirect({header(block::request_in, 6), data, status});
  driver_->notify(0);
  ASSERT_TRUE(await_completions(2));
  EXPECT_EQ(text(data), std::string(512, 'W'));
  EXPECT_GE(interrupts_, 1);
}

TEST_F(BlockTest, ManyRequestsAreAllAnswered) {
  open();
  driver_->start();
  constexpr int rounds = 40;
  for (int i = 1; i <= rounds; ++i) {
    const std::string sector(512, static_cast<char>('A' + i));
    driver_->queue(0).send({header(block::request_out, static_cast<std::uint64_t>(i)),
                            readable(guest_, sector), writable(guest_, 1)});
  }
  driver_->queue(0).send({header(block::request_flush), writable(guest_, 1)});
  driver_->notify(0);
  ASSERT_TRUE(await_completions(rounds + 1));
  const std::string content = base::read_file(path_);
  for (std::size_t i = 1; i <= rounds; ++i) {
    EXPECT_EQ(content[i * 512], static_cast<char>('A' + i));
  }
}

TEST_F(BlockTest, MalformedRequestFailsAloneAndIsCounted) {
  open();
  driver_->start();
  const auto good = writable(guest_, 1);
  driver_->queue(0).send({readable(guest_, "nonsense")});
  driver_->queue(0).send({header(block::request_in), writable(guest_, 512), good});
  driver_->notify(0);
  ASSERT_TRUE(await_completions(2));
  EXPECT_EQ(text(good), std::string(1, '\0'));
  EXPECT_EQ(disk_->device().faults(), 1U);
  EXPECT_EQ(driver_->status(), 0x0fU);
}

// After a reset no request of before may touch the guest's memory.
TEST_F(BlockTest, ResetInTheMiddleOfRequestsIsClean) {
  open();
  for (int round = 0; round < 50; ++round) {
    driver_->start();
    for (int i = 0; i < 8; ++i) {
      driver_->queue(0).send(
          {header(block::request_in), writable(guest_, 512), writable(guest_, 1)});
    }
    driver_->notify(0);
    loop_.run_once(milliseconds(0));
    driver_->write(abi::mmio::status, 0);
    const auto used = driver_->queue(0).used_index();
    while (loop_.run_once(milliseconds(0))) {
    }
    EXPECT_EQ(driver_->queue(0).used_index(), used);
  }
  driver_->start();
  driver_->queue(0).send({header(block::request_in), writable(guest_, 512), writable(guest_, 1)});
  driver_->notify(0);
  EXPECT_TRUE(await_completions(1));
}

TEST_F(BlockTest, DeviceMayEndWithRequestsUnderWay) {
  open();
  driver_->start();
  for (int i = 0; i < 8; ++i) {
    driver_->queue(0).send({header(block::request_in), writable(guest_, 512), writable(guest_, 1)});
  }
  driver_->notify(0);
  loop_.run_once(milliseconds(100));
  driver_.reset();
  disk_.reset();
}

// A disk that was cut short under the guest, which reads its end again and again.
TEST_F(BlockTest, FailuresAreLoggedAFewTimesOnly) {
  open();
  std::filesystem::resize_file(path_, 512);
  driver_->start();
  testing::internal::CaptureStderr();
  const auto status = writable(guest_, 1);
  for (int i = 1; i <= 40; ++i) {
    driver_->queue(0).send({header(block::request_in, 7), writable(guest_, 512), status});
    driver_->notify(0);
    ASSERT_TRUE(await_completions(i));
  }
  const auto log = testing::internal::GetCapturedStderr();
  EXPECT_EQ(text(status), std::string(1, '\1'));
  EXPECT_EQ(std::ranges::count(log, '\n'), 10) << log;
  EXPECT_NE(log.find("disk.img"), std::string::npos) << log;
}

TEST_F(BlockTest, FlushIsServedWhereItIsOffered) {
  for (const auto access : {BlockAccess::read_write, BlockAccess::read_only}) {
    open(access);
    driver_->start();
    const auto status = writable(guest_, 1);
    driver_->queue(0).send({header(block::request_flush), status});
    driver_->notify(0);
    ASSERT_TRUE(await_completions(1));
    const bool offered = access == BlockAccess::read_write;
    EXPECT_EQ(text(status), std::string(1, offered ? '\0' : '\2'));
  }
}

TEST_F(BlockTest, IsServedWhereTheHostHasNoRoomForAThread) {
  const tests::NoThreads none;
  open();
  driver_->start();
  const auto status = writable(guest_, 1);
  for (std::uint64_t sector = 0; sector < 3; ++sector) {
    driver_->queue(0).send(
        {header(block::request_out, sector), readable(guest_, std::string(512, 'w')), status});
  }
  driver_->notify(0);
  ASSERT_TRUE(await_completions(3));
  EXPECT_EQ(text(status), std::string(1, '\0'));
  EXPECT_EQ(base::read_file(path_).substr(0, 4 * 512),
            std::string(3 * 512, 'w') + std::string(512, 'd'));
}

TEST_F(BlockTest, UnusedDiskStartsNoThread) {
  const auto threads = [] {
    int count = 0;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task")) {
      count += entry.is_directory() ? 1 : 0;
    }
    return count;
  };
  const int before = threads();
  open();
  driver_->start();
  EXPECT_EQ(threads(), before);
}

}  // namespace
}  // namespace twinbox::vmm::virtio
