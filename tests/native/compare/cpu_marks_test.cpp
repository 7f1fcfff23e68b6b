// CPU time at every mark of our own engines, and that nothing of its counting reaches a workload.
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>

#include "compare/box.hpp"
#include "sandbox/stamp.hpp"
#include "tests/native/compare/compare_fixture.hpp"
#include "vmm/kvm/host_support.hpp"

namespace twinbox::compare {
namespace {

using namespace std::chrono_literals;
using sandbox::Mark;

class CpuMarks : public CompareCommand, public ::testing::WithParamInterface<const char*> {
 protected:
  void SetUp() override {
    CompareCommand::SetUp();
    if (GetParam() == std::string("vm") && !vmm::kvm::probe_host().runs_linux()) {
      GTEST_SKIP() << "machines run in the lab only";
    }
    std::filesystem::create_directories(out());
    plan_.engines = {GetParam()};
    adapter_ = make_adapter(plan_, GetParam(), {twinbox_program(), out()});
  }

  // A shell's script in a box that has ended.
  Box run(const std::string& script) {
    Box box(*adapter_, {.id = "box",
                        .args = {"/bin/busybox", "sh", "-c", script},
                        .image = "busybox",
                        .memory = "128m",
                        .count_cpu = true});
    EXPECT_TRUE(box.instance().wait_ready(120s)) << box.instance().errors();
    EXPECT_EQ(box.instance().finish(60s).status, 0) << box.instance().errors();
    return box;
  }

 private:
  Plan plan_;
  std::unique_ptr<Adapter> adapter_;
};

INSTANTIATE_TEST_SUITE_P(Engines, CpuMarks, ::testing::Values("process", "container", "vm"),
                         [](const auto& given) { return std::string(given.param); });

TEST_P(CpuMarks, RiseWithinTheTimeThatThereWas) {
  const auto box = run("echo ready");
  const auto wall = box.marks();
  const auto cpu = box.cpu_at_marks();
  if (!cpu.contains(Mark::gone)) GTEST_SKIP() << "the kernel refuses the task clock here";
  const auto processors = static_cast<std::uint64_t>(::sysconf(_SC_NPROCESSORS_ONLN));
  for (const auto mark : {Mark::entered, Mark::created, Mark::booted, Mark::executed,
                          Mark::first_output, Mark::ready, Mark::gone}) {
    ASSERT_TRUE(cpu.contains(mark)) << to_string(mark);
    EXPECT_LE(cpu.at(mark), wall.at(mark) * processors) << to_string(mark);
  }
  // Whoever watches, these follow one another.
  EXPECT_GT(cpu.at(Mark::entered), 0U);
  EXPECT_LT(cpu.at(Mark::entered), std::min(cpu.at(Mark::created), cpu.at(Mark::booted)));
  EXPECT_LT(cpu.at(Mark::booted), std::min(cpu.at(Mark::executed), cpu.at(Mark::first_output)));
  EXPECT_LT(std::max(cpu.at(Mark::executed), cpu.at(Mark::ready)), cpu.at(Mark::gone));
}

TEST_P(CpuMarks, WorkloadSeesNothingOfTheCounter) {
  const auto box = run("/bin/busybox ls -l /proc/self/fd; /bin/busybox env; echo ready");
  const auto& told = box.instance().output();
  // Its streams; 3 is the directory that is read.
  EXPECT_NE(told.find(" 2 -> "), std::string::npos) << told;
  EXPECT_EQ(told.find(" 4 -> "), std::string::npos) << told;
  EXPECT_EQ(told.find("perf_event"), std::string::npos) << told;
  EXPECT_EQ(told.find(sandbox::cpu_counter_variable), std::string::npos) << told;
}

TEST_F(CompareCommand, AnythingElseIsNoCounter) {
  ::setenv(sandbox::cpu_counter_variable, "0", 1);
  const auto run = twinbox({"run", "--rm", "busybox", "true"});
  ::unsetenv(sandbox::cpu_counter_variable);
  EXPECT_EQ(run.status, 125);
  EXPECT_NE(run.err.find("descriptor 0 is no perf event"), std::string::npos) << run.err;
}

}  // namespace
}  // namespace twinbox::compare
