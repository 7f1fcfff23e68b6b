#include "vmm/memory/image_memory.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <string>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/size.hpp"
#include "vmm/layout.hpp"

namespace twinbox::vmm {
namespace {

using base::mebibyte;

class ImageMemoryTest : public testing::Test {
 protected:
  std::string file(const std::string& content) {
    const auto path = directory_.path() / "file";
    base::write_file(path, content);
    return path.string();
  }
  std::string text(std::uint64_t offset, std::size_t size) const {
    return {reinterpret_cast<const char*>(image_.host_base() + offset), size};
  }

  base::TemporaryDirectory directory_;
  GuestMemory ram_{16 * mebibyte};
  ImageMemory image_{ram_, 4 * mebibyte};
};

TEST_F(ImageMemoryTest, LiesBeyondTheRam) {
  EXPECT_EQ(layout::gap_end, image_.start().value);
  const GuestMemory large(5120 * mebibyte);
  const ImageMemory beyond(large, 4 * mebibyte);
  EXPECT_EQ(0, beyond.start().value % layout::image_alignment);
  EXPECT_GE(beyond.start().value, large.regions()[1].start.value + large.regions()[1].size);
  EXPECT_FALSE(ram_.slice(image_.start(), 1));
}

TEST_F(ImageMemoryTest, HoldsFilesAndZerosBesideThem) {
  const auto path = file(std::string(4096, 'a') + "end");
  image_.add(path, 2 * mebibyte, 4099);
  EXPECT_EQ("aend", text(2 * mebibyte + 4095, 4));
  EXPECT_EQ(std::string(8, '\0'), text(2 * mebibyte + 4099, 8));
  EXPECT_EQ(std::string(8, '\0'), text(2 * mebibyte + 8192, 8));
  EXPECT_EQ(std::string(8, '\0'), text(4 * mebibyte - 8, 8));
}

TEST_F(ImageMemoryTest, RefusesWhatDoesNotFit) {
  const auto path = file(std::string(8192, 'a'));
  EXPECT_THROW(image_.add(path, 4 * mebibyte - 4096, 8192), base::Error);
  EXPECT_THROW(image_.add(path, 8 * mebibyte, 8192), base::Error);
  EXPECT_THROW(image_.add(path, 512, 8192), base::Error);
  EXPECT_THROW(image_.add(path, 0, 8193), base::Error);
  EXPECT_THROW(image_.add("/no/such/file", 0, 8192), base::Error);
  EXPECT_THROW(ImageMemory(ram_, 4096), base::Error);
  EXPECT_NO_THROW(image_.add(path, 4 * mebibyte - 8192, 8192));
}

// A file of /sys cannot be mapped.
TEST_F(ImageMemoryTest, ReadsWhatCannotBeMapped) {
  const auto path = "/sys/kernel/notes";
  const auto content = base::read_file(path);
  if (content.empty()) GTEST_SKIP() << path << " is empty here";
  image_.add(path, 0, content.size());
  EXPECT_EQ(content, text(0, content.size()));
}

TEST_F(ImageMemoryTest, NamesAFileThatWasMadeShorter) {
  const auto path = file(std::string(8192, 'a'));
  image_.add(path, 0, 8192);
  EXPECT_FALSE(image_.shortened());
  std::filesystem::resize_file(path, 4096);
  EXPECT_EQ(path, image_.shortened());
}

}  // namespace
}  // namespace twinbox::vmm
