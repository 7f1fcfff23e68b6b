#include "compare/cgroup_memory.hpp"

#include <gtest/gtest.h>

#include "base/file.hpp"

namespace twinbox::compare {
namespace {

TEST(MemoryGroup, IsTheOneOfTheMemoryController) {
  const auto group = parse_memory_group("4:memory:/docker/abc\n3:cpu,cpuacct:/x\n0::/unified\n");
  ASSERT_TRUE(group.has_value());
  EXPECT_EQ(group->version, 1);
  EXPECT_EQ(group->path, "/docker/abc");
}

TEST(MemoryGroup, IsTheOnlyOneOfVersion2) {
  const auto group = parse_memory_group("0::/twinbox/abc\n");
  ASSERT_TRUE(group.has_value());
  EXPECT_EQ(group->version, 2);
  EXPECT_EQ(group->path, "/twinbox/abc");
  EXPECT_FALSE(parse_memory_group("").has_value());
}

TEST(GroupMemory, ReadsVersion2) {
  const base::TemporaryDirectory directory;
  base::write_file(directory.path() / "memory.stat",
                   "anon 4096\nfile 8192\nkernel 1024\nshmem 512\nfile_mapped 7\n");
  base::write_file(directory.path() / "memory.current", "13312\n");
  const auto memory = read_group_memory(directory.path(), 2);
  EXPECT_EQ(
      memory,
      (std::map<std::string, std::uint64_t>{
          {"anon", 4096}, {"file", 8192}, {"shmem", 512}, {"kernel", 1024}, {"total", 13312}}));
}

TEST(GroupMemory, ReadsVersion1) {
  const base::TemporaryDirectory directory;
  base::write_file(directory.path() / "memory.stat",
                   "cache 1\nrss 2\ntotal_cache 8192\ntotal_rss 4096\ntotal_shmem 512\n");
  base::write_file(directory.path() / "memory.usage_in_bytes", "13312\n");
  base::write_file(directory.path() / "memory.kmem.usage_in_bytes", "1024\n");
  const auto memory = read_group_memory(directory.path(), 1);
  EXPECT_EQ(memory.at("anon"), 4096U);
  EXPECT_EQ(memory.at("kernel"), 1024U);
  EXPECT_EQ(memory.at("total"), 13312U);
}

TEST(GroupMemory, OfAGroupThatIsGoneIsNothing) {
  EXPECT_TRUE(read_group_memory("/nonexistent", 2).empty());
}

}  // namespace
}  // namespace twinbox::compare
