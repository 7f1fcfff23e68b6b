#include "base/granted_time.hpp"

#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <thread>
#include <vector>

namespace twinbox::base {
namespace {

using std::chrono::milliseconds;

// Threads that want one processor, all of them, for `time`.
void crowd(std::size_t count, milliseconds time) {
  std::vector<std::jthread> threads;
  for (std::size_t number = 0; number < count; ++number) {
    threads.emplace_back([time] {
      cpu_set_t one;
      CPU_ZERO(&one);
      CPU_SET(0, &one);
      ::sched_setaffinity(0, sizeof one, &one);
      const auto end = std::chrono::steady_clock::now() + time;
      while (std::chrono::steady_clock::now() < end) {
      }
    });
  }
}

TEST(GrantedTime, PassesForOneThatSleeps) {
  const GrantedTime granted;
  std::this_thread::sleep_for(milliseconds(50));
  EXPECT_GE(granted.of({}), milliseconds(50));
}

TEST(GrantedTime, StandsStillForThoseThatWait) {
  std::atomic<std::int64_t> waited{0};
  std::jthread look([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      waited = std::max(waited.load(), waited_for_processors(::getpid()).count());
      std::this_thread::sleep_for(milliseconds(10));
    }
  });
  crowd(4, milliseconds(300));
  look.request_stop();
  look.join();
  // Three of four wait at any time.
  EXPECT_GE(std::chrono::nanoseconds(waited), milliseconds(150));
}

TEST(GrantedTime, IsNeverNegative) {
  const GrantedTime granted;
  crowd(4, milliseconds(50));
  const std::array self{::getpid()};
  EXPECT_GE(granted.of(self).count(), 0);
}

TEST(GrantedTime, OfAProcessThatIsGoneIsTheWalls) {
  const GrantedTime granted;
  const std::array gone{pid_t{0x3fffffff}};
  std::this_thread::sleep_for(milliseconds(5));
  EXPECT_GE(granted.of(gone), milliseconds(5));
}

}  // namespace
}  // namespace twinbox::base
