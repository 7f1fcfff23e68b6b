#include "vmm/memory/guest_memory.hpp"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <iterator>
#include <limits>

#include "base/fd.hpp"
#include "vmm/layout.hpp"

namespace twinbox::vmm {
namespace {

constexpr std::uint64_t mebibyte = 1 << 20;

TEST(GuestMemory, SmallGuestIsOneRegionFromZero) {
  const GuestMemory memory(16 * mebibyte);
  ASSERT_EQ(memory.regions().size(), 1U);
  EXPECT_EQ(memory.regions()[0].start, GuestAddress{0});
  EXPECT_EQ(memory.regions()[0].size, 16 * mebibyte);
}

TEST(GuestMemory, SizeIsRoundedUpToAPage) { EXPECT_EQ(GuestMemory(4097).size(), 8192U); }

TEST(GuestMemory, LargeGuestGoesOnAboveTheGap) {
  const GuestMemory memory(5120 * mebibyte);
  ASSERT_EQ(memory.regions().size(), 2U);
  EXPECT_EQ(memory.regions()[0].size, layout::gap_start);
  EXPECT_EQ(memory.regions()[1].start, GuestAddress{layout::gap_end});
  EXPECT_EQ(memory.regions()[1].size, 5120 * mebibyte - layout::gap_start);
  EXPECT_EQ(memory.size(), 5120 * mebibyte);
}

TEST(GuestMemory, NothingIsInTheGap) {
  const GuestMemory memory(5120 * mebibyte);
  EXPECT_TRUE(memory.slice({layout::gap_start - 8}, 8));
  EXPECT_FALSE(memory.slice({layout::gap_start - 8}, 9));
  EXPECT_FALSE(memory.slice({layout::gap_start}, 1));
  EXPECT_FALSE(memory.slice({layout::gap_end - 1}, 2));
  EXPECT_TRUE(memory.slice({layout::gap_end}, 8));
}

TEST(GuestMemory, RangeMayEndExactlyAtTheTop) {
  const GuestMemory memory(mebibyte);
  EXPECT_TRUE(memory.slice({mebibyte - 16}, 16));
  EXPECT_FALSE(memory.slice({mebibyte - 16}, 17));
  EXPECT_FALSE(memory.slice({mebibyte}, 1));
}

TEST(GuestMemory, OverflowingRangesAreRefused) {
  const GuestMemory memory(mebibyte);
  constexpr auto most = std::numeric_limits<std::uint64_t>::max();
  EXPECT_FALSE(memory.slice({16}, most));
  EXPECT_FALSE(memory.slice({most}, 1));
  EXPECT_FALSE(memory.slice({most - 7}, 16));
  EXPECT_FALSE(checked_add({most}, 1));
  EXPECT_EQ(checked_add({most - 1}, 1), GuestAddress{most});
}

TEST(GuestMemory, WritesAreReadBack) {
  const GuestMemory memory(mebibyte);
  ASSERT_TRUE(memory.write_object({0x123}, std::uint64_t{0x1122334455667788}));
  EXPECT_EQ(memory.read_object<std::uint64_t>({0x123}), 0x1122334455667788U);
  EXPECT_EQ(memory.read_object<std::uint8_t>({0x123}), 0x88);
  EXPECT_FALSE(memory.read_object<std::uint64_t>({mebibyte - 4}));
  EXPECT_FALSE(memory.write_object({mebibyte - 4}, std::uint64_t{0}));
}

TEST(GuestMemory, FreshMemoryIsZero) {
  EXPECT_EQ(GuestMemory(mebibyte).read_object<std::uint64_t>({0x8000}), 0U);
}

class MappedFile : public testing::Test {
 protected:
  void SetUp() override {
    file_ = base::Fd(::memfd_create("kernel", MFD_CLOEXEC));
    const std::string text(8192, 'k');
    ASSERT_EQ(::write(file_.get(), text.data(), text.size()), 8192);
  }
  base::Fd file_;
};

TEST_F(MappedFile, IsSeenByTheGuestAndNotChangedByIt) {
  const GuestMemory memory(mebibyte);
  ASSERT_TRUE(memory.map_file({0x4000}, file_.get(), 4096, 4096));
  EXPECT_EQ(memory.read_object<char>({0x4000}), 'k');
  EXPECT_EQ(memory.read_object<char>({0x5000}), '\0');
  ASSERT_TRUE(memory.write_object({0x4000}, 'g'));
  char first = 0;
  ASSERT_EQ(::pread(file_.get(), &first, 1, 4096), 1);
  EXPECT_EQ(first, 'k');
}

TEST_F(MappedFile, OwnPagesAreThoseWrittenTo) {
  const GuestMemory memory(mebibyte);
  ASSERT_TRUE(memory.map_file({0x4000}, file_.get(), 0, 8192));
  EXPECT_EQ(memory.read_object<char>({0x4000}), 'k');
  ASSERT_TRUE(memory.write_object({0x5000}, 'g'));
  EXPECT_EQ(memory.own_pages(), std::vector({PageRange{0x5000, 4096}}));
}

TEST_F(MappedFile, PagesMadeOwnKeepWhatTheFileSays) {
  const GuestMemory memory(mebibyte);
  ASSERT_TRUE(memory.map_file({0x4000}, file_.get(), 0, 8192));
  memory.make_own({{0x4000, 8192}});
  EXPECT_EQ(memory.own_pages(), std::vector({PageRange{0x4000, 8192}}));
  EXPECT_EQ(memory.read_object<char>({0x5fff}), 'k');
}

// Such a run is not a copy of one file: part of it is the file's, part is memory that is empty.
TEST_F(MappedFile, ARunAcrossItsEndIsMadeOwnToo) {
  const GuestMemory memory(mebibyte);
  ASSERT_TRUE(memory.map_file({0x4000}, file_.get(), 0, 8192));
  memory.make_own({{0x5000, 8192}});
  EXPECT_EQ(memory.own_pages(), std::vector({PageRange{0x5000, 8192}}));
  EXPECT_EQ(memory.read_object<char>({0x5fff}), 'k');
  EXPECT_EQ(memory.read_object<char>({0x6000}), '\0');
}

TEST(GuestMemory, PagesBeyondItAreNotMadeOwn) {
  const GuestMemory memory(mebibyte);
  memory.make_own({{mebibyte - 4096, 8192}, {~std::uint64_t{4095}, 4096}});
  EXPECT_TRUE(memory.own_pages().empty());
}

TEST_F(MappedFile, TakesOneDescriptorForAllOfAFile) {
  const auto descriptors = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {});
  };
  const auto before = descriptors();
  const GuestMemory memory(mebibyte);
  for (std::uint64_t address = 0; address < mebibyte; address += 8192) {
    ASSERT_TRUE(memory.map_file({address}, file_.get(), 0, 4096));
  }
  EXPECT_EQ(descriptors(), before + 1);
}

TEST_F(MappedFile, MustLieWithinRamAndOnPages) {
  const GuestMemory memory(mebibyte);
  EXPECT_FALSE(memory.map_file({mebibyte - 4096}, file_.get(), 0, 8192));
  EXPECT_FALSE(memory.map_file({0x4001}, file_.get(), 0, 4096));
  EXPECT_FALSE(memory.map_file({0x4000}, file_.get(), 0, 100));
}

}  // namespace
}  // namespace twinbox::vmm
