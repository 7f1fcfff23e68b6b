#include "vmm/snapshot/working_set.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/file.hpp"
#include "base/syscall.hpp"

namespace twinbox::vmm::snapshot {
namespace {

constexpr std::uint64_t mebibyte = 1 << 20;

TEST(WorkingSet, IsReadBackAsItWasWritten) {
  const std::vector<PageRange> pages{{0, 4096}, {0x200000, 0x3000}};
  EXPECT_EQ(pages_from_text(to_text(pages)), pages);
}

TEST(WorkingSet, WhatIsNoRunOfPagesIsLeft) {
  EXPECT_EQ(pages_from_text("0 4096\n12 4096\n8192 1\nsome text\n-4096 4096\n8192 4096 1\n\n4096"),
            std::vector({PageRange{0, 4096}}));
}

TEST(WorkingSet, WhatOneMachineWroteIsGivenToTheNext) {
  const base::TemporaryDirectory directory;
  const auto snapshot = (directory.path() / "one.snapshot").string();
  base::write_file(snapshot, std::string(mebibyte, 's'));
  const auto file = base::open_file(snapshot, O_RDONLY);
  EXPECT_TRUE(lacks_working_set(snapshot));
  {
    const GuestMemory memory(mebibyte);
    ASSERT_TRUE(memory.map_file({0}, file.get(), 0, mebibyte));
    ASSERT_TRUE(memory.write_object({0x3000}, 'g'));
    record_working_set(memory, snapshot);
  }
  EXPECT_FALSE(lacks_working_set(snapshot));
  const GuestMemory memory(mebibyte);
  ASSERT_TRUE(memory.map_file({0}, file.get(), 0, mebibyte));
  prefetch_working_set(memory, snapshot);
  EXPECT_EQ(memory.own_pages(), std::vector({PageRange{0x3000, 4096}}));
  EXPECT_EQ(memory.read_object<char>({0x3000}), 's');
}

TEST(WorkingSet, OneThatCannotBeNotedIsNoHarm) {
  const GuestMemory memory(mebibyte);
  record_working_set(memory, "/nowhere/one.snapshot");
  prefetch_working_set(memory, "/nowhere/one.snapshot");
  EXPECT_TRUE(memory.own_pages().empty());
}

TEST(WorkingSet, AMachineThatBootsHasNone) { EXPECT_FALSE(lacks_working_set("")); }

}  // namespace
}  // namespace twinbox::vmm::snapshot
