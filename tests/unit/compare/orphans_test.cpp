#include "compare/orphans.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "compare/instance.hpp"

namespace twinbox::compare {
namespace {

using namespace std::chrono_literals;

TEST(Orphans, AreCountedWithWhatLeftThem) {
  adopt_orphans();
  // The shell is gone at once; what it has put into the background works on.
  Instance instance(
      {"/bin/sh", "-c", "sh -c 'i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done' & echo ready"},
      Instance::Input::none);
  const auto end = instance.finish(60s);
  CpuTime left_behind;
  for (int tries = 0; tries < 3000 && left_behind.user_ns == 0; ++tries) {
    std::this_thread::sleep_for(10ms);
    left_behind = reap_orphans();
  }
  EXPECT_GT(left_behind.user_ns, end.user_ns);
}

}  // namespace
}  // namespace twinbox::compare
