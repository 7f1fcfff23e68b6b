#include "vmm/boot/initrd.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/size.hpp"
#include "vmm/layout.hpp"

namespace twinbox::vmm::boot {
namespace {

class InitrdFile : public testing::Test {
 protected:
  std::string path(std::size_t size) const {
    const auto file = directory_.path() / "initrd";
    base::write_file(file, std::string(size, 'i'));
    return file.string();
  }
  base::TemporaryDirectory directory_;
};

TEST_F(InitrdFile, LiesOnAPageAtTheTopOfLowMemory) {
  const GuestMemory memory(4 * base::mebibyte);
  const auto initrd = load_initrd(path(10'000), GuestAddress{2 * base::mebibyte}, memory);
  EXPECT_EQ(initrd.size, 10'000U);
  EXPECT_EQ(initrd.start.value, 4 * base::mebibyte - 3 * 4096);
  EXPECT_EQ(*memory.read_object<char>(initrd.start), 'i');
  EXPECT_EQ(*memory.read_object<char>({initrd.start.value + 9'999}), 'i');
  EXPECT_EQ(*memory.read_object<char>({initrd.start.value + 10'000}), '\0');
}

TEST_F(InitrdFile, StaysBelowTheGap) {
  const GuestMemory memory(5 * base::gibibyte);
  const auto initrd = load_initrd(path(4096), GuestAddress{2 * base::mebibyte}, memory);
  EXPECT_EQ(initrd.start.value, layout::gap_start - 4096);
}

TEST_F(InitrdFile, MayFillTheMemoryExactly) {
  const GuestMemory memory(4 * base::mebibyte);
  const auto size = 2 * base::mebibyte;
  EXPECT_EQ(load_initrd(path(size), GuestAddress{2 * base::mebibyte}, memory).start.value,
            2 * base::mebibyte);
  EXPECT_THROW(load_initrd(path(size + 1), GuestAddress{2 * base::mebibyte}, memory), base::Error);
}

TEST_F(InitrdFile, LargerThanMemoryIsNamedWithBothSizes) {
  const GuestMemory memory(4 * base::mebibyte);
  const auto file = path(8 * base::mebibyte);
  try {
    load_initrd(file, GuestAddress{2 * base::mebibyte}, memory);
    FAIL() << "it cannot fit";
  } catch (const base::Error& error) {
    EXPECT_EQ(error.kind(), base::ErrorKind::usage);
    EXPECT_NE(error.message().find(file), std::string::npos);
    EXPECT_NE(error.message().find("8.0 MiB"), std::string::npos);
    EXPECT_NE(error.message().find("4.0 MiB"), std::string::npos);
    EXPECT_FALSE(error.hint().empty());
  }
}

TEST_F(InitrdFile, NoneIsNone) {
  const auto none = load_initrd("", GuestAddress{}, GuestMemory(2 * base::mebibyte));
  EXPECT_EQ(none.size, 0U);
}

TEST_F(InitrdFile, EmptyOrMissingIsRefused) {
  const GuestMemory memory(4 * base::mebibyte);
  EXPECT_THROW(load_initrd(path(0), GuestAddress{}, memory), base::Error);
  EXPECT_THROW(load_initrd("/no/such/initrd", GuestAddress{}, memory), base::Error);
}

}  // namespace
}  // namespace twinbox::vmm::boot
