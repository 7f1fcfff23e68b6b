// The memory figures against what the kernel and smem say of the same instance.
#include <fmt/format.h>

#include <cmath>
#include <fstream>
#include <set>
#include <sstream>

#include "base/text.hpp"
#include "compare/instance.hpp"
#include "compare/probes.hpp"
#include "tests/native/compare/compare_fixture.hpp"
#include "vmm/kvm/host_support.hpp"

namespace twinbox::compare {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr double kib = 1024;

// The number after `key` in a "key:   12 kB" file of a process; 0 when that is gone.
double field_of(pid_t pid, const std::string& file, const std::string& key) {
  std::ifstream stream(fmt::format("/proc/{}/{}", pid, file));
  for (std::string word; stream >> word;) {
    double value = 0;
    if (word == key + ":" && stream >> value) return value;
  }
  return 0;
}

// By /proc/PID/status, which the comparison does not read.
std::set<pid_t> family_of(pid_t root) {
  std::set<pid_t> family{root};
  for (std::size_t before = 0; before != family.size();) {
    before = family.size();
    for (const auto& entry : fs::directory_iterator("/proc")) {
      const auto pid = base::parse_number<pid_t>(entry.path().filename().string());
      if (!pid) continue;
      const auto parent = static_cast<pid_t>(field_of(*pid, "status", "PPid"));
      if (family.contains(parent)) family.insert(*pid);
    }
  }
  return family;
}

// Kilobytes of all of them together.
double rolled_up(const std::set<pid_t>& pids, const std::string& key) {
  double sum = 0;
  for (const pid_t pid : pids) sum += field_of(pid, "smaps_rollup", key);
  return sum;
}

void expect_near(double found, double expected, const std::string& what) {
  fmt::print("{:<28} {:>12.0f} {:>12.0f}\n", what, found, expected);
  EXPECT_LE(std::abs(found - expected), 0.05 * expected) << what;
}

class MemoryFigures : public CompareCommand {
 protected:
  // Has written so many bytes, and waits for the end of its input, without a further process: one
  // that starts while it is measured would be in one of the two figures only.
  std::vector<std::string> command(const std::string& kind, int bytes) const {
    return {twinbox_program(),
            "run",
            "--as",
            kind,
            "--memory",
            "256m",
            "--rm",
            "--die-with-parent",
            "--interactive",
            "busybox",
            "/bin/busybox",
            "sh",
            "-c",
            fmt::format("x=$(/bin/busybox head -c {} /dev/zero | /bin/busybox tr '\\0' x); "
                        "echo ready; read end; : $x",
                        bytes)};
  }
  static void expect_kernels_view(const InstanceMemory& measured, const std::set<pid_t>& family) {
    const auto total = measured.total();
    EXPECT_EQ(measured.processes, static_cast<int>(family.size()));
    expect_near(static_cast<double>(total.pss), kib * rolled_up(family, "Pss"), "PSS");
    expect_near(static_cast<double>(total.rss), kib * rolled_up(family, "Rss"), "RSS");
    const auto own = rolled_up(family, "Private_Clean") + rolled_up(family, "Private_Dirty");
    expect_near(static_cast<double>(total.uss), kib * own, "USS");
  }
};

TEST_F(MemoryFigures, OfAContainerAgreeWithTheKernelAndItsControlGroup) {
  constexpr int bytes = 24 << 20;
  Instance instance(command("container", bytes), Instance::Input::held_open);
  ASSERT_TRUE(instance.wait_ready(120s)) << instance.errors();
  const auto measured = measure_memory({instance.pid()});
  const auto family = family_of(instance.pid());
  expect_kernels_view(measured, family);
  ASSERT_TRUE(measured.cgroup_bytes.contains("anon"));
  // Of those that are not the supervisor: the workload's anonymous memory is all the group's.
  double anonymous = 0;
  for (const pid_t pid : family) {
    const auto program = fs::read_symlink(fmt::format("/proc/{}/exe", pid)).filename().string();
    if (component_of(program) == "workload") {
      anonymous += field_of(pid, "smaps_rollup", "Anonymous");
    }
  }
  EXPECT_GE(anonymous * kib, bytes);
  expect_near(static_cast<double>(measured.cgroup_bytes.at("anon")), kib * anonymous,
              "cgroup, anonymous");
  instance.finish(60s);
}

TEST_F(MemoryFigures, OfAContainerAgreeWithSmem) {
  Instance instance(command("container", 16 << 20), Instance::Input::held_open);
  ASSERT_TRUE(instance.wait_ready(120s)) << instance.errors();
  const auto measured = measure_memory({instance.pid()});
  const auto smem = base::run_command({"smem", "-H", "-c", "pid uss pss rss"});
  if (smem.status == 127) GTEST_SKIP() << "smem is not installed";
  const auto family = family_of(instance.pid());
  std::istringstream lines(smem.out);
  pid_t pid = 0;
  double uss = 0;
  double pss = 0;
  double rss = 0;
  Footprint sum;
  while (lines >> pid >> uss >> pss >> rss) {
    if (!family.contains(pid)) continue;
    sum += {0, static_cast<std::uint64_t>(rss * kib), static_cast<std::uint64_t>(pss * kib),
            static_cast<std::uint64_t>(uss * kib)};
  }
  const auto total = measured.total();
  expect_near(static_cast<double>(total.pss), static_cast<double>(sum.pss), "smem, PSS");
  expect_near(static_cast<double>(total.rss), static_cast<double>(sum.rss), "smem, RSS");
  expect_near(static_cast<double>(total.uss), static_cast<double>(sum.uss), "smem, USS");
  instance.finish(60s);
}

TEST_F(MemoryFigures, OfAMachineAgreeWithTheKernel) {
  if (!vmm::kvm::probe_host().runs_linux()) GTEST_SKIP() << "machines run in the lab only";
  constexpr int bytes = 8 << 20;
  Instance instance(command("vm", bytes), Instance::Input::held_open);
  ASSERT_TRUE(instance.wait_ready(240s)) << instance.errors();
  const auto measured = measure_memory({instance.pid()});
  const auto family = family_of(instance.pid());
  expect_kernels_view(measured, family);
  // What the workload has written is in the guest's memory, and nowhere else.
  EXPECT_GE(measured.components.at("guest RAM").rss, static_cast<std::uint64_t>(bytes));
  EXPECT_LT(measured.components.at("monitor").rss, static_cast<std::uint64_t>(bytes));
  instance.finish(60s);
}

}  // namespace
}  // namespace twinbox::compare
