#include "vmm/image_plan.hpp"

#include <gtest/gtest.h>

#include "base/file.hpp"
#include "base/size.hpp"

namespace twinbox::vmm {
namespace {

using base::mebibyte;

class PlanImage : public testing::Test {
 protected:
  std::filesystem::path layer(std::uint64_t size) {
    auto path = directory_.path() / std::to_string(++count_);
    base::write_file(path, "");
    std::filesystem::resize_file(path, size);
    return path;
  }

  base::TemporaryDirectory directory_;
  int count_ = 0;
};

MachineConfig with(const ImageConfig& image) {
  MachineConfig machine;
  machine.image = image;
  return machine;
}

TEST_F(PlanImage, OneLayerIsAllOfTheDevice) {
  const std::vector layers{layer(8192)};
  const auto image = plan_image(layers, 128 * mebibyte);
  EXPECT_EQ(64 * mebibyte, image.size);
  ASSERT_EQ(1U, image.files.size());
  EXPECT_EQ(layers[0], image.files[0].path);
  EXPECT_EQ(0U, image.files[0].offset);
  EXPECT_EQ(8192U, image.files[0].size);

  const auto disks = disks_in(with(image), layers.size());
  ASSERT_EQ(1U, disks.size());
  EXPECT_EQ("/dev/pmem0", disks[0].device);
  EXPECT_EQ(0U, disks[0].size);
}

TEST_F(PlanImage, FurtherLayersAreParts) {
  const std::vector layers{layer(3 * mebibyte), layer(4096)};
  const auto image = plan_image(layers, 128 * mebibyte);
  ASSERT_EQ(2U, image.files.size());
  EXPECT_EQ(4 * mebibyte, image.files[1].offset);

  const auto disks = disks_in(with(image), layers.size());
  ASSERT_EQ(2U, disks.size());
  EXPECT_EQ(0U, disks[0].start);
  EXPECT_EQ(4 * mebibyte, disks[0].size);
  EXPECT_EQ(4 * mebibyte, disks[1].start);
  EXPECT_EQ(2 * mebibyte, disks[1].size);
}

TEST(DisksIn, AreDrivesInTheirOrderWithoutAnImage) {
  const auto disks = disks_in({}, 2);
  ASSERT_EQ(2U, disks.size());
  EXPECT_EQ("/dev/vda", disks[0].device);
  EXPECT_EQ("/dev/vdb", disks[1].device);
  EXPECT_EQ(0U, disks[1].size);
}

TEST_F(PlanImage, SizesAreFewAndGrowWithTheMemory) {
  const std::vector small{layer(64 * mebibyte)};
  EXPECT_EQ(64 * mebibyte, plan_image(small, 128 * mebibyte).size);
  const std::vector larger{layer(64 * mebibyte + 1)};
  EXPECT_EQ(256 * mebibyte, plan_image(larger, 128 * mebibyte).size);
  EXPECT_EQ(0U, plan_image(larger, 127 * mebibyte).size);
  const std::vector largest{layer(300 * mebibyte)};
  EXPECT_EQ(0U, plan_image(largest, 128 * mebibyte).size);
  EXPECT_EQ(1024 * mebibyte, plan_image(largest, 512 * mebibyte).size);
}

TEST_F(PlanImage, WhatIsNotThereIsLeftToDisks) {
  const std::vector<std::filesystem::path> layers{"/no/such/layer"};
  EXPECT_EQ(0U, plan_image(layers, 128 * mebibyte).size);
  const std::vector empty{layer(0)};
  EXPECT_EQ(0U, plan_image(empty, 128 * mebibyte).size);
}

}  // namespace
}  // namespace twinbox::vmm
