#include "vmm/virtio/balloon.hpp"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <array>
#include <string>

#include "tests/support/fake_guest.hpp"
#include "tests/support/fake_link.hpp"

namespace twinbox::vmm::virtio {
namespace {

using tests::Buffer;

constexpr std::uint32_t page = 4096;

class BalloonTest : public testing::Test {
 protected:
  void SetUp() override {
    std::vector<Queue> queues;
    for (auto* const driver : {&inflate_, &deflate_, &report_}) queues.push_back(driver->open());
    balloon_.activate(std::move(queues), link_);
  }
  // Pages full of something.
  GuestAddress filled_pages(std::uint32_t count) {
    const auto address = guest_.allocate(count * page, page);
    const std::string content(std::size_t{count} * page, 'x');
    guest_.memory().write(address, std::as_bytes(std::span<const char>(content)));
    return address;
  }
  bool is_resident(GuestAddress address) {
    const auto range = *guest_.memory().slice(address, page);
    unsigned char resident = 0;
    ::mincore(range.data(), page, &resident);
    return (resident & 1) != 0;
  }
  void send_numbers(std::span<const std::uint32_t> numbers) {
    const std::string_view bytes(reinterpret_cast<const char*>(numbers.data()),
                                 numbers.size_bytes());
    inflate_.send({tests::readable(guest_, bytes)});
    balloon_.process_queue(0);
  }

  tests::FakeGuest guest_;
  tests::QueueDriver inflate_{guest_, 8};
  tests::QueueDriver deflate_{guest_, 8};
  tests::QueueDriver report_{guest_, 8};
  tests::FakeLink link_;
  Balloon balloon_{guest_.memory()};
};

TEST_F(BalloonTest, ReportedPagesAreTheHostsAgain) {
  const auto freed = filled_pages(16);
  const auto kept = filled_pages(1);
  report_.send({Buffer{freed, 8 * page, true}, Buffer{{freed.value + 8 * page}, 8 * page, true}});
  balloon_.process_queue(2);
  ASSERT_TRUE(report_.take_used());
  EXPECT_EQ(balloon_.given_back(), 16U * page);
  EXPECT_FALSE(is_resident(freed));
  EXPECT_FALSE(is_resident({freed.value + 15 * page}));
  EXPECT_TRUE(is_resident(kept));
  EXPECT_EQ(guest_.text(kept, 3), "xxx");
  EXPECT_EQ(guest_.text(freed, 3), std::string(3, '\0'));
}

TEST_F(BalloonTest, PartsOfPagesAreLeftAlone) {
  const auto pages = filled_pages(3);
  report_.send({Buffer{{pages.value + 1}, 3 * page - 2, true}});
  balloon_.process_queue(2);
  EXPECT_EQ(balloon_.given_back(), page);
  EXPECT_EQ(guest_.text(pages, 2), "xx");
  EXPECT_EQ(guest_.text({pages.value + 2 * page}, 2), "xx");
}

TEST_F(BalloonTest, WhatTheDriverOnlyShowsIsNotTaken) {
  const auto pages = filled_pages(1);
  report_.send({Buffer{pages, page, false}});
  balloon_.process_queue(2);
  EXPECT_EQ(balloon_.given_back(), 0U);
  EXPECT_EQ(guest_.text(pages, 1), "x");
}

TEST_F(BalloonTest, TakesPagesByNumber) {
  const auto pages = filled_pages(2);
  const auto number = static_cast<std::uint32_t>(pages.value / page);
  send_numbers(std::array{number, number + 1});
  EXPECT_EQ(balloon_.given_back(), 2U * page);
  EXPECT_TRUE(inflate_.take_used());
}

TEST_F(BalloonTest, PagesThatAreNoMemoryAreAFault) {
  send_numbers(std::array{0xffffffffU});
  EXPECT_EQ(balloon_.given_back(), 0U);
  EXPECT_EQ(balloon_.faults(), 1U);
  EXPECT_TRUE(inflate_.take_used());
}

TEST_F(BalloonTest, DeflationIsGranted) {
  deflate_.send({tests::readable(guest_, "1234")});
  balloon_.process_queue(1);
  EXPECT_TRUE(deflate_.take_used());
}

}  // namespace
}  // namespace twinbox::vmm::virtio
