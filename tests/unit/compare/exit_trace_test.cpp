#include "compare/exit_trace.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.hpp"

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

TEST(Exits, OfThreadsWithSpacesInTheirNamesAreKeptApart) {
  const auto exits = parse_exits(
      "       CPU 0/KVM-138     [000] .....     3.000200: kvm_exit: vcpu 0 reason npf rip 0x1 "
      "info1 "
      "0x0\n"
      "       CPU 1/KVM-139     [001] .....     3.000210: kvm_exit: vcpu 1 reason io rip 0x1 info1 "
      "0x0\n"
      "       CPU 0/KVM-138     [000] d..1.     3.000300: kvm_entry: vcpu 0, rip 0x1000000\n"
      "       CPU 1/KVM-139     [001] d..1.     3.000900: kvm_entry: vcpu 1, rip 0x1000000\n");
  ASSERT_EQ(exits.size(), 2U);
  EXPECT_EQ(exits[0].took_ns, 100'000U);
  EXPECT_EQ(exits[1].took_ns, 690'000U);
}

// A directory in the place of tracefs.
class Tracing : public ::testing::Test {
 protected:
  Tracing() {
    base::make_directories(tracing() / "events/kvm/kvm_exit");
    base::make_directories(tracing() / "events/kvm/kvm_entry");
    write("trace", "");
    write("trace_clock", "local [global] mono\n");
    write("buffer_size_kb", "7 (expanded: 1408)\n");
  }
  std::filesystem::path tracing() const { return directory_.path() / "tracing"; }
  std::filesystem::path workplace() const { return directory_.path(); }
  void write(const std::string& file, const std::string& text) const {
    base::write_file(tracing() / file, text);
  }
  std::string read(const std::string& file) const { return base::read_file(tracing() / file); }
  void expect_as_before() const {
    EXPECT_EQ(read("events/kvm/kvm_exit/enable"), "0");
    EXPECT_EQ(read("events/kvm/kvm_entry/enable"), "0");
    EXPECT_EQ(read("trace_clock"), "global");
    EXPECT_EQ(read("buffer_size_kb"), "1408");
  }

  base::TemporaryDirectory directory_;
};

TEST_F(Tracing, IsAsBeforeAtItsEnd) {
  {
    const ExitTrace recording(workplace(), tracing());
    EXPECT_EQ(read("trace_clock"), "mono");
    EXPECT_EQ(read("events/kvm/kvm_exit/enable"), "1");
  }
  expect_as_before();
}

TEST_F(Tracing, OfAComparisonThatWasKilledIsUndoneWithItsLeftovers) {
  const auto killed = ::fork();
  if (killed == 0) {
    const ExitTrace recording(workplace(), tracing());
    ::_exit(0);  // no destructor runs
  }
  ASSERT_EQ(::waitpid(killed, nullptr, 0), killed);
  EXPECT_EQ(read("events/kvm/kvm_exit/enable"), "1");
  undo_tracing(workplace());
  expect_as_before();
  write("trace_clock", "mine");
  undo_tracing(workplace());  // once only
  EXPECT_EQ(read("trace_clock"), "mine");
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
