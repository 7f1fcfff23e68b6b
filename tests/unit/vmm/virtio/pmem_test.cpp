#include "vmm/virtio/pmem.hpp"

#include <gtest/gtest.h>

#include <optional>

#include "base/error.hpp"
#include "base/event_loop.hpp"
#include "tests/support/fake_driver.hpp"
#include "vmm/virtio/attach.hpp"

namespace twinbox::vmm::virtio {
namespace {

using tests::Buffer;
using tests::readable;
using tests::writable;

constexpr GuestAddress place{0x1'4000'0000};
constexpr std::uint64_t size = 64 << 20;

class PmemTest : public testing::Test {
 protected:
  Buffer request(std::uint32_t type) {
    const abi::pmem::Request wire{type};
    return {guest_.place_object(wire), sizeof(wire), false};
  }
  // What the device answers to a chain with room for a response.
  std::uint32_t answer(const Buffer& asked, std::uint32_t room = 4) {
    const auto response = writable(guest_, room);
    driver_.queue(0).send({asked, response});
    driver_.notify(0);
    loop_.run_once(std::chrono::milliseconds(0));
    used_ = driver_.queue(0).take_used();
    return *guest_.memory().read_object<std::uint32_t>(response.address);
  }

  base::EventLoop loop_;
  tests::FakeGuest guest_;
  int interrupts_ = 0;
  Attachment pmem_{loop_, guest_.memory(), std::make_unique<Pmem>(place, size),
                   [this] { ++interrupts_; }};
  tests::FakeDriver driver_{guest_, pmem_.bus_device()};
  std::optional<abi::UsedElement> used_;
};

TEST_F(PmemTest, TellsWhereItsMemoryIs) {
  EXPECT_EQ(driver_.read(abi::mmio::device_id), 27U);
  EXPECT_EQ(driver_.read(abi::mmio::config), 0x4000'0000U);
  EXPECT_EQ(driver_.read(abi::mmio::config + 4), 1U);
  EXPECT_EQ(driver_.read(abi::mmio::config + 8), size);
  EXPECT_EQ(driver_.read(abi::mmio::config + 12), 0U);
}

TEST_F(PmemTest, GrantsAFlush) {
  driver_.start();
  EXPECT_EQ(answer(request(0)), 0U);
  ASSERT_TRUE(used_);
  EXPECT_EQ(used_->length, 4U);
  EXPECT_EQ(interrupts_, 1);
  EXPECT_EQ(pmem_.device().faults(), 0U);
}

TEST_F(PmemTest, RefusesWhatIsNoFlush) {
  driver_.start();
  EXPECT_EQ(answer(request(1)), 0xffff'ffffU);
  EXPECT_EQ(answer(readable(guest_, "abc")), 0xffff'ffffU);
  EXPECT_EQ(pmem_.device().faults(), 2U);
}

TEST_F(PmemTest, AResponseWithoutRoomIsAFaultAndNoMore) {
  driver_.start();
  answer(request(0), 2);
  ASSERT_TRUE(used_);
  EXPECT_EQ(used_->length, 2U);
  driver_.queue(0).send({request(0)});
  driver_.notify(0);
  loop_.run_once(std::chrono::milliseconds(0));
  EXPECT_EQ(driver_.queue(0).take_used()->length, 0U);
  EXPECT_EQ(pmem_.device().faults(), 2U);
  EXPECT_EQ(answer(request(0)), 0U);
}

// The memory is no RAM: nothing of it can be the buffer of a request.
TEST_F(PmemTest, ItsMemoryIsNoBuffer) {
  driver_.start();
  driver_.queue(0).send({request(0), Buffer{place, 4, true}});
  driver_.notify(0);
  loop_.run_once(std::chrono::milliseconds(0));
  EXPECT_FALSE(driver_.queue(0).take_used());
  EXPECT_NE(driver_.status() & abi::status_needs_reset, 0U);
}

TEST_F(PmemTest, GoesOnOnlyWithTheMemoryThatItWasSavedWith) {
  driver_.start();
  StateWriter saved;
  pmem_.device().save(saved);
  StateReader same(saved.bytes());
  EXPECT_NO_THROW(pmem_.device().restore(same));

  tests::FakeGuest other_guest;
  Attachment other(loop_, other_guest.memory(), std::make_unique<Pmem>(place, 2 * size), [] {});
  tests::FakeDriver(other_guest, other.bus_device()).start();
  StateReader again(saved.bytes());
  EXPECT_THROW(other.device().restore(again), base::Error);
}

}  // namespace
}  // namespace twinbox::vmm::virtio
