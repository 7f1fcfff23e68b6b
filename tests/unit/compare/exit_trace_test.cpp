#include "compare/exit_trace.hpp"

#include <gtest/gtest.h>

namespace twinbox::compare {
namespace {

using sandbox::Mark;

// As Linux 6.1 prints it.
constexpr const char* trace =
    "# tracer: nop\n#\n"
    "     twinbox-vmm-138     [000] d..1.     3.000100: kvm_entry: vcpu 0, rip 0x1000000\n"
    "     twinbox-vmm-138     [000] .....     3.000200: kvm_exit: vcpu 0 reason npf rip 0x1 info1 "
    "0x0\n"
    "           other-139     [001] .....     3.000250: kvm_exit: vcpu 1 reason io rip 0x1 info1 "
    "0\n"
    "     twinbox-vmm-138     [000] d..1.     3.000230: kvm_entry: vcpu 0, rip 0x1000000\n"
    "     twinbox-vmm-138     [000] .....     3.000900: kvm_exit: vcpu 0 reason npf rip 0x1 info1 "
    "0x0\n";

TEST(Exits, TakeUntilTheSameThreadEntersAgain) {
  const auto exits = parse_exits(trace);
  ASSERT_EQ(exits.size(), 3U);
  EXPECT_EQ(exits[0].reason, "npf");
  EXPECT_EQ(exits[0].at_ns, 3'000'200'000U);
  EXPECT_EQ(exits[0].took_ns, 30'000U);
  EXPECT_EQ(exits[1].reason, "io");
  EXPECT_EQ(exits[1].took_ns, 0U);  // it never came back
}

TEST(Exits, AreCountedByPhaseAndReason) {
  const TracedRun run{
      parse_exits(trace), 3'000'000'000U, {{Mark::executed, 300'000}, {Mark::ready, 800'000}}};
  const auto counts = count_exits("vm", "start-up", {run, run});
  ASSERT_EQ(counts.size(), 3U);
  EXPECT_EQ(counts[0].phase, "boot");
  EXPECT_EQ(counts[0].reason, "io");
  EXPECT_EQ(counts[1].reason, "npf");
  EXPECT_EQ(counts[1].count, 1);
  EXPECT_EQ(counts[1].time_ns, 30'000U);
  EXPECT_EQ(counts[2].phase, "stop");
}

TEST(Exits, OfATextWithoutAnyAreNone) { EXPECT_TRUE(parse_exits("# nothing\n").empty()); }

}  // namespace
}  // namespace twinbox::compare
