// One workload as a container and as a microVM: the same streams, status and signals.
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <sstream>
#include <utility>

#include "base/size.hpp"
#include "tests/lab/lab_run.hpp"

namespace twinbox::test {
namespace {

class RunAs : public testing::TestWithParam<const char*> {
 protected:
  std::vector<std::string> command(std::vector<std::string> workload) const {
    workload.insert(workload.begin(), {"twinbox", "run", "--rm", "--as", GetParam(), "busybox"});
    return workload;
  }
};

TEST_P(RunAs, KeepsStreamsApartAndTheStatus) {
  const auto result = in_lab(command({"sh", "-c", "echo out; echo err >&2; exit 7"}));
  EXPECT_EQ(result.status, 7);
  EXPECT_EQ(result.out, "out\n");
  EXPECT_EQ(result.err, "err\n");
}

TEST_P(RunAs, EchoesTenMegabytesByteForByte) {
  // The input is made in the lab: what is measured is the box, not the way into the lab.
  const auto result = script_in_lab(
      "head -c 10000000 /dev/urandom >/tmp/sent.$$; "
      "twinbox run --rm -i --as " +
      std::string(GetParam()) +
      " busybox cat </tmp/sent.$$ >/tmp/received.$$ && cmp /tmp/sent.$$ /tmp/received.$$; "
      "status=$?; rm /tmp/sent.$$ /tmp/received.$$; exit $status");
  EXPECT_EQ(result.status, 0) << result.err;
}

TEST_P(RunAs, HandsSigtermToTheWorkload) {
  Running lab([this] {
    auto args = command({"sh", "-c",
                         "trap 'echo caught; exit 9' TERM; echo ready; "
                         "while :; do sleep 0.1; done"});
    args.insert(args.begin(), {"twinbox", "lab", "exec", "--"});
    return args;
  }());
  ASSERT_TRUE(lab.wait_for_output("ready")) << lab.wait().err;
  lab.signal(SIGTERM);  // by way of the lab it reaches twinbox, which is what this is about
  const auto result = lab.wait();
  EXPECT_EQ(result.status, 9) << result.err;
  EXPECT_EQ(result.out, "ready\ncaught\n");
}

TEST_P(RunAs, TellsHowTheWorkloadCouldNotRun) {
  const auto missing = in_lab(command({"no-such-program"}));
  EXPECT_EQ(missing.status, 127);
  EXPECT_NE(missing.err.find("no-such-program"), std::string::npos) << missing.err;
  const auto no_program = in_lab(command({"/etc/passwd"}));
  EXPECT_EQ(no_program.status, 126) << no_program.err;
}

TEST(CpuTimeAtTheMarks, IsToldOfAMachine) {
  expect_comparison_tests_pass_in_lab("*CpuMarks*vm", 2);
}

INSTANTIATE_TEST_SUITE_P(Engines, RunAs, testing::Values("container", "vm"),
                         [](const auto& parameter) { return std::string(parameter.param); });

TEST(TunedKernel, RunsAWorkloadOnAllProcessorsAndEndsWithIt) {
  if (script_in_lab("test -e $TWINBOX_ROOT/kernels/tuned/vmlinux").status != 0) {
    GTEST_SKIP() << "the tuned kernel is not built: run guest-images/build-kernel";
  }
  const auto result = in_lab({"twinbox", "run", "--rm", "--as", "vm", "--kernel", "tuned", "--cpus",
                              "2", "busybox", "sh", "-c", "nproc; uname -r; exit 7"});
  EXPECT_EQ(result.status, 7) << result.err;
  EXPECT_TRUE(result.out.starts_with("2\n6.1.")) << result.out;
  EXPECT_NE(result.out.find("-twinbox"), std::string::npos) << result.out;
}

struct MemoryArea {
  std::uint64_t start = 0;
  std::uint64_t end = 0;
  std::uint64_t resident_kib = 0;
  bool image = false;  // a layer's file, which is the guest's memory beyond its RAM
};

std::vector<MemoryArea> parse_smaps(const std::string& text) {
  std::vector<MemoryArea> areas;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    MemoryArea area;
    if (std::sscanf(line.c_str(), "%lx-%lx ", &area.start, &area.end) == 2) {
      area.image = line.ends_with(".erofs");
      areas.push_back(area);
    }
    if (line.starts_with("Rss:")) areas.back().resident_kib = std::stoull(line.substr(4));
  }
  return areas;
}

// The guest's memory is one range of exactly its size, in several areas: windows of the kernel's
// file and of the initramfs lie in it. Returns what is resident {in it, beside it}.
std::pair<std::uint64_t, std::uint64_t> resident_kib(const std::vector<MemoryArea>& areas,
                                                     std::uint64_t guest_bytes) {
  std::uint64_t guest = 0;
  std::uint64_t all = 0;
  for (std::size_t first = 0; first < areas.size(); ++first) {
    if (!areas[first].image) all += areas[first].resident_kib;
    std::uint64_t inside = 0;
    for (std::size_t last = first; last < areas.size(); ++last) {
      if (last > first && areas[last].start != areas[last - 1].end) break;
      inside += areas[last].resident_kib;
      if (areas[last].end - areas[first].start == guest_bytes) guest = std::max(guest, inside);
    }
  }
  return {guest, all - guest};
}

TEST(Monitor, TakesAtMostTwoMebibytesBesideGuestMemory) {
  const auto result = script_in_lab(R"(
twinbox run --rm --as vm --memory 192m busybox sh -c 'echo up; sleep 1000' >/tmp/up.$$ & run=$!
until grep -q up /tmp/up.$$; do kill -0 $run || exit 1; sleep 0.1; done
cat /proc/$(pidof twinbox-vmm)/smaps
kill -9 $(pidof twinbox-vmm); wait $run; rm /tmp/up.$$
)");
  const auto areas = parse_smaps(result.out);
  const auto [guest, own] = resident_kib(areas, 192 * base::mebibyte);
  ASSERT_GT(guest, 16 * 1024U) << "the guest's memory was not found\n" << result.out << result.err;
  EXPECT_LE(own, 2 * 1024U) << result.out;
  EXPECT_GT(own, 256U);
}

// Nobody can kill a guest's process 1 but its kernel; this is what comes of it.
TEST(Monitor, AGuestThatPanicsIsToldAndLeavesNothing) {
  const auto result = script_in_lab(R"(
twinbox run -d --privileged --as vm --kernel stock --name panics busybox sleep 1000000 >/dev/null || exit 1
twinbox exec panics sh -c 'echo c >/proc/sysrq-trigger' 2>/dev/null; echo $?
twinbox wait panics
twinbox inspect --format '{{.State.Status}} {{.State.Error}}' panics
twinbox rm panics; pidof twinbox-vmm || echo none left
)");
  EXPECT_EQ(result.out,
            "125\n125\nexited the guest was lost while its workload ran: the guest asked for a "
            "reset\npanics\nnone left\n")
      << result.err;
}

TEST(Monitor, GivesBackWhatTheGuestHasUsedAndFreed) {
  const auto result = script_in_lab(R"(
twinbox run -d --as vm --name returns --memory 320m busybox sleep 1000000 >/dev/null || exit 1
pid=$(twinbox inspect --format '{{.State.Pid}}' returns)
resident() { grep VmRSS /proc/$pid/status | tr -dc '0-9\n'; }
sleep 4; resident  # what the boot has freed is back by then
twinbox exec returns dd if=/dev/zero of=/dev/null bs=200M count=1 2>/dev/null; resident
sleep 5; resident
twinbox rm -f returns >/dev/null
)");
  std::istringstream lines(result.out);
  std::uint64_t start = 0;
  std::uint64_t full = 0;
  std::uint64_t after = 0;
  ASSERT_TRUE(lines >> start >> full >> after) << result.out << result.err;
  EXPECT_GT(full, start + 190 * 1024);
  EXPECT_LT(after, start + 10 * 1024);
}

}  // namespace
}  // namespace twinbox::test
