#include "vmm/virtio/queue.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <utility>

#include "tests/support/fake_guest.hpp"

namespace twinbox::vmm::virtio {
namespace {

using tests::Buffer;
using tests::FakeGuest;
using tests::QueueDriver;
using tests::readable;
using tests::writable;

constexpr std::uint16_t size = 8;
constexpr std::uint16_t next = abi::descriptor_next;
constexpr std::uint16_t write = abi::descriptor_write;
constexpr std::uint16_t indirect = abi::descriptor_indirect;

std::string text(Segment segment) {
  return {reinterpret_cast<const char*>(segment.data()), segment.size()};
}

class QueueTest : public testing::Test {
 protected:
  // The queue is broken, for the expected reason, and stays so.
  void expect_fault(Queue& queue, std::string_view reason) {
    EXPECT_FALSE(queue.pop());
    ASSERT_NE(queue.fault(), nullptr);
    EXPECT_NE(std::string_view(queue.fault()).find(reason), std::string_view::npos)
        << queue.fault();
    driver_.send({readable(guest_, "fine")});
    EXPECT_FALSE(queue.pop());
    EXPECT_FALSE(queue.has_available());
    EXPECT_FALSE(queue.enable_notifications());
    EXPECT_NE(queue.take_fault_report(), nullptr);
    EXPECT_EQ(queue.take_fault_report(), nullptr);
  }
  std::uint64_t some_address() { return guest_.allocate(64).value; }

  FakeGuest guest_{1 << 20};
  QueueDriver driver_{guest_, size};
};

// --- Opening ---

TEST_F(QueueTest, OpensWhatIsLegalOnly) {
  const QueueLayout good = driver_.layout();
  const auto opens = [&](auto change) {
    QueueLayout layout = good;
    change(layout);
    return Queue::open(guest_.memory(), layout, {}).has_value();
  };
  EXPECT_TRUE(opens([](QueueLayout&) {}));
  EXPECT_FALSE(opens([](QueueLayout& l) { l.size = 0; }));
  EXPECT_FALSE(opens([](QueueLayout& l) { l.size = 6; }));
  EXPECT_FALSE(opens([](QueueLayout& l) { l.descriptors.value += 8; }));
  EXPECT_FALSE(opens([](QueueLayout& l) { l.available.value += 1; }));
  EXPECT_FALSE(opens([](QueueLayout& l) { l.used.value += 2; }));
  EXPECT_FALSE(opens([&](QueueLayout& l) { l.descriptors.value = guest_.ram_size(); }));
  EXPECT_FALSE(opens([&](QueueLayout& l) { l.used.value = guest_.ram_size() - 16; }));
  EXPECT_FALSE(opens([](QueueLayout& l) { l.available.value = ~1ULL; }));
}

TEST_F(QueueTest, RingsMayEndExactlyAtTheTopOfRam) {
  QueueLayout layout = driver_.layout();
  layout.descriptors.value = guest_.ram_size() - 16 * size;
  EXPECT_TRUE(Queue::open(guest_.memory(), layout, {}));
  layout.descriptors.value += 16;
  EXPECT_FALSE(Queue::open(guest_.memory(), layout, {}));
}

TEST_F(QueueTest, QueueThatWasNotSetUpIsAlwaysEmpty) {
  Queue queue;
  EXPECT_FALSE(queue.pop());
  EXPECT_FALSE(queue.has_available());
  EXPECT_FALSE(queue.enable_notifications());
  queue.disable_notifications();
  EXPECT_FALSE(queue.interrupt_wanted());
  EXPECT_EQ(queue.fault(), nullptr);
}

// --- Chains ---

TEST_F(QueueTest, ChainComesWithItsBuffersByDirection) {
  Queue queue = driver_.open();
  const Buffer answer = writable(guest_, 100);
  const auto head = driver_.send({readable(guest_, "one"), readable(guest_, "two"), answer});
  const auto chain = queue.pop();
  ASSERT_TRUE(chain);
  EXPECT_EQ(chain->head(), head);
  ASSERT_EQ(chain->readable().size(), 2U);
  EXPECT_EQ(text(chain->readable()[0]), "one");
  EXPECT_EQ(text(chain->readable()[1]), "two");
  ASSERT_EQ(chain->writable().size(), 1U);
  EXPECT_EQ(chain->writable()[0].size(), 100U);
  EXPECT_FALSE(queue.pop());
  EXPECT_EQ(queue.fault(), nullptr);
}

TEST_F(QueueTest, CompletionCarriesHeadAndLength) {
  Queue queue = driver_.open();
  driver_.send({readable(guest_, "first")});
  const auto second = driver_.send({writable(guest_, 8)});
  auto a = queue.pop();
  auto b = queue.pop();
  EXPECT_EQ(queue.in_flight(), 2U);
  queue.complete(std::move(*b), 8);  // out of order, as a disk may
  const auto used = driver_.take_used();
  ASSERT_TRUE(used);
  EXPECT_EQ(used->id, second);
  EXPECT_EQ(used->length, 8U);
  EXPECT_FALSE(driver_.take_used());
  queue.complete(std::move(*a), 0);
  EXPECT_EQ(driver_.take_used()->length, 0U);
  EXPECT_EQ(queue.in_flight(), 0U);
}

TEST_F(QueueTest, IndicesWrapAround) {
  Queue queue = driver_.open({.event_index = true});
  for (unsigned i = 0; i < 3 * 65536 / 2; ++i) {
    driver_.publish(static_cast<std::uint16_t>(i % size));
    auto chain = queue.pop();
    ASSERT_TRUE(chain) << i;
    queue.complete(std::move(*chain), i);
    ASSERT_FALSE(queue.enable_notifications());
    ASSERT_EQ(driver_.available_event(), static_cast<std::uint16_t>(i + 1));
    ASSERT_EQ(driver_.used_index(), static_cast<std::uint16_t>(i + 1));
    ASSERT_EQ(driver_.take_used()->length, i);
  }
}

TEST_F(QueueTest, FullQueueIsLegalAndOneMoreIsNot) {
  Queue queue = driver_.open();
  for (std::uint16_t i = 0; i < size; ++i) driver_.publish(i);
  for (std::uint16_t i = 0; i < size; ++i) EXPECT_TRUE(queue.pop());
  EXPECT_FALSE(queue.pop());
  EXPECT_EQ(queue.fault(), nullptr);
}

TEST_F(QueueTest, IndexFurtherAheadThanTheQueueIsLongBreaksIt) {
  Queue queue = driver_.open();
  driver_.set_available_index(size + 1);
  expect_fault(queue, "further ahead");
}

TEST_F(QueueTest, IndexThatGoesBackBreaksIt) {
  Queue queue = driver_.open();
  driver_.set_available_index(std::numeric_limits<std::uint16_t>::max());
  expect_fault(queue, "further ahead");
}

TEST_F(QueueTest, HeadBeyondTheTableBreaksIt) {
  Queue queue = driver_.open();
  driver_.publish(size);
  expect_fault(queue, "head is beyond");
}

TEST_F(QueueTest, HeadThatIsStillLentBreaksIt) {
  Queue queue = driver_.open();
  driver_.publish(3);
  const auto chain = queue.pop();
  ASSERT_TRUE(chain);
  driver_.publish(3);
  expect_fault(queue, "twice");
}

TEST_F(QueueTest, NextBeyondTheTableBreaksIt) {
  Queue queue = driver_.open();
  driver_.set_descriptor(0, {some_address(), 4, next, size});
  driver_.publish(0);
  expect_fault(queue, "beyond its table");
}

TEST_F(QueueTest, LoopEnds) {
  Queue queue = driver_.open();
  driver_.set_descriptor(0, {some_address(), 4, next, 1});
  driver_.set_descriptor(1, {some_address(), 4, next, 0});
  driver_.publish(0);
  expect_fault(queue, "loop");
}

TEST_F(QueueTest, ChainMayBeAsLongAsTheQueue) {
  Queue queue = driver_.open();
  driver_.send(std::vector<Buffer>(size, readable(guest_, "x")));
  const auto chain = queue.pop();
  ASSERT_TRUE(chain);
  EXPECT_EQ(chain->readable().size(), size);
}

TEST_F(QueueTest, BufferMayEndExactlyAtTheTopOfRam) {
  Queue queue = driver_.open();
  const Buffer last{GuestAddress{guest_.ram_size() - 512}, 512, true};
  driver_.send({last});
  EXPECT_TRUE(queue.pop());
  driver_.send({Buffer{last.address, 513, true}});
  expect_fault(queue, "not in RAM");
}

// Each segment is checked, not only the first or their sum.
TEST_F(QueueTest, EverySegmentMustBeInRam) {
  Queue queue = driver_.open();
  driver_.send({readable(guest_, "good"), Buffer{GuestAddress{~0ULL - 8}, 64, false}});
  expect_fault(queue, "not in RAM");
}

TEST_F(QueueTest, SegmentAcrossTheGapIsNotRam) {
  FakeGuest large(5ULL << 30);
  QueueDriver driver(large, size);
  Queue queue = driver.open();
  driver.send({Buffer{GuestAddress{0xc000'0000 - 4}, 8, false}});
  EXPECT_FALSE(queue.pop());
  EXPECT_NE(queue.fault(), nullptr);
}

TEST_F(QueueTest, BuffersAboveFourGigabytesWork) {
  FakeGuest large(5ULL << 30);
  QueueDriver driver(large, size);
  Queue queue = driver.open();
  const GuestAddress high{0x1'0000'0000 + (1 << 20)};
  large.memory().write(high, std::as_bytes(std::span("high", 4)));
  driver.send({Buffer{high, 4, false}});
  const auto chain = queue.pop();
  ASSERT_TRUE(chain);
  EXPECT_EQ(text(chain->readable()[0]), "high");
}

TEST_F(QueueTest, ReadableAfterWritableBreaksIt) {
  Queue queue = driver_.open();
  driver_.send({writable(guest_, 4), readable(guest_, "late")});
  expect_fault(queue, "follows a writable");
}

TEST_F(QueueTest, EmptyBuffersAreSkipped) {
  Queue queue = driver_.open();
  driver_.send({Buffer{GuestAddress{~0ULL}, 0, false}, readable(guest_, "x")});
  const auto chain = queue.pop();
  ASSERT_TRUE(chain);
  EXPECT_EQ(chain->readable().size(), 1U);
}

TEST_F(QueueTest, ChainOfFourGigabytesBreaksIt) {
  FakeGuest large(3ULL << 30);
  QueueDriver driver(large, size);
  Queue queue = driver.open();
  const Buffer two_gigabytes{GuestAddress{0}, 1U << 31, true};
  driver.send({two_gigabytes, two_gigabytes});
  EXPECT_FALSE(queue.pop());
  EXPECT_NE(queue.fault(), nullptr);
}

// --- Indirect tables ---

TEST_F(QueueTest, IndirectTableIsFollowed) {
  Queue queue = driver_.open({.indirect = true});
  const auto head =
      driver_.send_indirect({readable(guest_, "a"), readable(guest_, "b"), writable(guest_, 3)});
  const auto chain = queue.pop();
  ASSERT_TRUE(chain);
  EXPECT_EQ(chain->head(), head);
  EXPECT_EQ(chain->readable().size(), 2U);
  EXPECT_EQ(chain->writable().size(), 1U);
}

TEST_F(QueueTest, IndirectTableMayFollowDirectDescriptors) {
  Queue queue = driver_.open({.indirect = true});
  const auto inner = readable(guest_, "inner");
  const auto table = guest_.place_object(abi::Descriptor{inner.address.value, inner.length, 0, 0});
  const auto outer = readable(guest_, "outer");
  driver_.set_descriptor(0, {outer.address.value, outer.length, next, 1});
  driver_.set_descriptor(1, {table.value, 16, indirect, 0});
  driver_.publish(0);
  const auto chain = queue.pop();
  ASSERT_TRUE(chain);
  ASSERT_EQ(chain->readable().size(), 2U);
  EXPECT_EQ(text(chain->readable()[0]), "outer");
  EXPECT_EQ(text(chain->readable()[1]), "inner");
}

TEST_F(QueueTest, IndirectTableMustBeNegotiated) {
  Queue queue = driver_.open({.indirect = false});
  driver_.send_indirect({readable(guest_, "a")});
  expect_fault(queue, "not negotiated");
}

TEST_F(QueueTest, NestedIndirectTableBreaksIt) {
  Queue queue = driver_.open({.indirect = true});
  const auto inner = guest_.place_object(abi::Descriptor{some_address(), 4, 0, 0});
  const auto outer = guest_.place_object(abi::Descriptor{inner.value, 16, indirect, 0});
  driver_.set_descriptor(0, {outer.value, 16, indirect, 0});
  driver_.publish(0);
  expect_fault(queue, "nested");
}

TEST_F(QueueTest, NestedIndirectTableFurtherInBreaksItToo) {
  Queue queue = driver_.open({.indirect = true});
  const auto inner = guest_.place_object(abi::Descriptor{some_address(), 4, 0, 0});
  const abi::Descriptor table[] = {{some_address(), 4, next, 1}, {inner.value, 16, indirect, 0}};
  driver_.set_descriptor(0, {guest_.place_object(table).value, 32, indirect, 0});
  driver_.publish(0);
  expect_fault(queue, "nested");
}

TEST_F(QueueTest, IndirectTableOfAWrongLengthBreaksIt) {
  for (const std::uint32_t length : {0U, 8U, 17U, 31U}) {
    QueueDriver driver(guest_, size);
    Queue queue = driver.open({.indirect = true});
    driver.set_descriptor(0, {some_address(), length, indirect, 0});
    driver.publish(0);
    EXPECT_FALSE(queue.pop()) << length;
    EXPECT_NE(queue.fault(), nullptr) << length;
  }
}

TEST_F(QueueTest, IndirectDescriptorWithANextOneBreaksIt) {
  Queue queue = driver_.open({.indirect = true});
  driver_.set_descriptor(0, {some_address(), 16, indirect | next, 1});
  driver_.publish(0);
  expect_fault(queue, "has a next");
}

TEST_F(QueueTest, IndirectTableOutsideOfRamBreaksIt) {
  Queue queue = driver_.open({.indirect = true});
  driver_.set_descriptor(0, {guest_.ram_size() - 16, 32, indirect, 0});
  driver_.publish(0);
  expect_fault(queue, "not in RAM");
}

TEST_F(QueueTest, NextBeyondAnIndirectTableBreaksIt) {
  Queue queue = driver_.open({.indirect = true});
  const auto table = guest_.place_object(abi::Descriptor{some_address(), 4, next, 1});
  driver_.set_descriptor(0, {table.value, 16, indirect, 0});
  driver_.publish(0);
  expect_fault(queue, "beyond its table");
}

TEST_F(QueueTest, LoopInAnIndirectTableEnds) {
  Queue queue = driver_.open({.indirect = true});
  const auto table = guest_.place_object(abi::Descriptor{some_address(), 4, next | write, 0});
  driver_.set_descriptor(0, {table.value, 16, indirect, 0});
  driver_.publish(0);
  expect_fault(queue, "loop");
}

TEST_F(QueueTest, ChainThroughAnIndirectTableIsBoundedByTheQueueToo) {
  Queue queue = driver_.open({.indirect = true});
  driver_.send_indirect(std::vector<Buffer>(size, readable(guest_, "x")));
  EXPECT_TRUE(queue.pop());
  driver_.send_indirect(std::vector<Buffer>(size + 1, readable(guest_, "x")));
  expect_fault(queue, "longer than its queue");
}

}  // namespace
}  // namespace twinbox::vmm::virtio
