#include "base/event_loop.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/epoll.h>

#include <vector>

#include "base/error.hpp"
#include "base/syscall.hpp"

namespace twinbox::base {
namespace {

using namespace std::chrono_literals;

TEST(EventLoop, CallsBackWhenADescriptorIsReadable) {
  EventLoop loop;
  const Fd event = make_eventfd();
  int calls = 0;
  loop.add(event.get(), EPOLLIN, [&](std::uint32_t events) {
    EXPECT_TRUE(events & EPOLLIN);
    EXPECT_EQ(drain_eventfd(event.get()), 1U);
    ++calls;
    loop.stop();
  });
  signal_eventfd(event.get());
  loop.run();
  EXPECT_EQ(calls, 1);
}

TEST(EventLoop, DispatchesNothingWhenNothingIsReady) {
  EventLoop loop;
  const Fd event = make_eventfd();
  loop.add(event.get(), EPOLLIN, [](std::uint32_t) { FAIL(); });
  EXPECT_FALSE(loop.run_once(0ms));
}

TEST(EventLoop, ACallbackMayRemoveItselfAndOthers) {
  EventLoop loop;
  const Fd first = make_eventfd();
  const Fd second = make_eventfd();
  int calls = 0;
  const auto remove_both = [&](std::uint32_t) {
    ++calls;
    loop.remove(first.get());
    loop.remove(second.get());
  };
  loop.add(first.get(), EPOLLIN, remove_both);
  loop.add(second.get(), EPOLLIN, remove_both);
  signal_eventfd(first.get());
  signal_eventfd(second.get());
  loop.run_once(0ms);
  EXPECT_EQ(calls, 1) << "the second callback was removed in the same round";
}

TEST(EventLoop, CallsDeferredOnesInOrderFromTheTop) {
  EventLoop loop;
  std::vector<int> calls;
  loop.defer([&] {
    calls.push_back(1);
    loop.defer([&] { calls.push_back(3); });
  });
  loop.defer([&] { calls.push_back(2); });
  EXPECT_TRUE(loop.run_once(1h));
  EXPECT_EQ(calls, (std::vector{1, 2})) << "what a deferred one defers waits for the next round";
  EXPECT_TRUE(loop.run_once(1h));
  EXPECT_EQ(calls, (std::vector{1, 2, 3}));
  EXPECT_FALSE(loop.run_once(0ms));
}

TEST(EventLoop, SaysWhatCannotBeWatched) {
  EventLoop loop;
  const auto file = open_file("/proc/self/exe", O_RDONLY);
  EXPECT_FALSE(loop.add_if_pollable(file.get(), EPOLLIN, [](std::uint32_t) {}));
  EXPECT_FALSE(loop.watches(file.get()));
  const Fd event = make_eventfd();
  EXPECT_TRUE(loop.add_if_pollable(event.get(), EPOLLIN, [](std::uint32_t) {}));
  EXPECT_TRUE(loop.watches(event.get()));
}

TEST(EventLoop, ModifyChangesWhatIsWatched) {
  EventLoop loop;
  const Fd event = make_eventfd();
  signal_eventfd(event.get());
  int calls = 0;
  loop.add(event.get(), 0, [&](std::uint32_t) { ++calls; });
  loop.run_once(0ms);
  EXPECT_EQ(calls, 0);
  loop.modify(event.get(), EPOLLIN);
  loop.run_once(0ms);
  EXPECT_EQ(calls, 1);
}

TEST(EventLoop, RefusesADescriptorThatCannotBeWatched) {
  EventLoop loop;
  EXPECT_THROW(loop.add(-1, EPOLLIN, [](std::uint32_t) {}), Error);
  EXPECT_FALSE(loop.watches(-1));
}

TEST(EventLoop, TimersGoOffInOrder) {
  EventLoop loop;
  std::vector<int> order;
  loop.add_timer(30ms, [&] {
    order.push_back(2);
    loop.stop();
  });
  loop.add_timer(0ms, [&] { order.push_back(1); });
  loop.run();
  EXPECT_EQ(order, (std::vector{1, 2}));
}

TEST(EventLoop, APeriodicTimerRepeatsUntilCancelled) {
  EventLoop loop;
  int calls = 0;
  EventLoop::TimerId timer{};
  timer = loop.add_timer(
      1ms,
      [&] {
        if (++calls == 3) {
          loop.cancel_timer(timer);
          loop.stop();
        }
      },
      1ms);
  loop.run();
  EXPECT_FALSE(loop.run_once(20ms));
  EXPECT_EQ(calls, 3);
}

TEST(EventLoop, ACancelledTimerStaysSilent) {
  EventLoop loop;
  const auto timer = loop.add_timer(0ms, [] { FAIL(); });
  loop.cancel_timer(timer);
  EXPECT_FALSE(loop.run_once(20ms));
}

}  // namespace
}  // namespace twinbox::base
