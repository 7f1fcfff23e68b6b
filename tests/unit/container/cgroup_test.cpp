#include "container/cgroup.hpp"

#include <gtest/gtest.h>

#include "container/cgroup_layout.hpp"

namespace twinbox::container {
namespace {

TEST(CgroupLayout, FindsVersionTwo) {
  const auto layout = parse_cgroup_layout(
      "proc /proc proc rw 0 0\n"
      "cgroup2 /sys/fs/cgroup cgroup2 rw,nosuid,nodev,noexec,relatime 0 0\n");

  EXPECT_EQ(layout.unified, "/sys/fs/cgroup");
  EXPECT_TRUE(layout.hierarchies.empty());
  EXPECT_TRUE(layout.usable());
}

TEST(CgroupLayout, FindsVersionOneBesideAnEmptyVersionTwo) {
  const auto layout = parse_cgroup_layout(
      "cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n"
      "cgroup /sys/fs/cgroup/memory cgroup rw,relatime,memory 0 0\n"
      "cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,relatime,cpu,cpuacct 0 0\n"
      "cgroup /sys/fs/cgroup/systemd cgroup rw,name=systemd 0 0\n"
      "cgroup /sys/fs/cgroup/freezer cgroup rw,freezer 0 0\n"
      "cgroup /sys/fs/cgroup/pids cgroup rw,pids 0 0\n");

  EXPECT_TRUE(layout.unified.empty());
  ASSERT_EQ(layout.hierarchies.size(), 4U);
  EXPECT_TRUE(layout.hierarchies[0].has("memory"));
  EXPECT_TRUE(layout.hierarchies[1].has("cpu"));
  EXPECT_EQ(layout.hierarchies[1].controllers, (std::vector<std::string>{"cpu", "cpuacct"}));
  EXPECT_TRUE(layout.hierarchies[2].has("freezer"));
  EXPECT_EQ(layout.hierarchies[3].mount_point, "/sys/fs/cgroup/pids");
}

TEST(CgroupLayout, CountsAHierarchyMountedTwiceOnce) {
  const auto layout = parse_cgroup_layout(
      "cgroup /sys/fs/cgroup/memory cgroup rw,memory 0 0\n"
      "cgroup /mnt/memory cgroup rw,memory 0 0\n");

  ASSERT_EQ(layout.hierarchies.size(), 1U);
  EXPECT_EQ(layout.hierarchies[0].mount_point, "/sys/fs/cgroup/memory");
}

TEST(CgroupLayout, IsNotUsableWithoutControllers) {
  EXPECT_FALSE(parse_cgroup_layout("").usable());
  EXPECT_FALSE(
      parse_cgroup_layout("cgroup /sys/fs/cgroup/systemd cgroup rw,name=systemd 0 0\n").usable());
}

TEST(Cgroup, QuotaIsMicrosecondsPerPeriod) {
  EXPECT_EQ(cpu_quota_us(1), "100000");
  EXPECT_EQ(cpu_quota_us(2.5), "250000");
  EXPECT_EQ(cpu_quota_us(0.333), "33300");
  EXPECT_EQ(cpu_quota_us(0.0001), "1000");  // the kernel's least
}

TEST(Cgroup, NoGroupsDoNothing) {
  Cgroup none;
  EXPECT_EQ(none.clone_target(), -1);
  EXPECT_TRUE(none.joins().empty());
  EXPECT_TRUE(none.processes().empty());
  EXPECT_FALSE(none.saw_oom_kill());
  none.remove();
}

}  // namespace
}  // namespace twinbox::container
