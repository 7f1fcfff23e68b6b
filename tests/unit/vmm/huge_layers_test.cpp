#include "vmm/huge_layers.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "base/file.hpp"
#include "base/syscall.hpp"

namespace twinbox::vmm {
namespace {

namespace fs = std::filesystem;
using base::mebibyte;

class HugeLayersTest : public testing::Test {
 protected:
  void SetUp() override {
    base::make_directories(copies_);
    if (::mount("none", copies_.c_str(), "tmpfs", 0, "huge=always") != 0) {
      GTEST_SKIP() << "no file system of huge pages: " << std::strerror(errno);
    }
  }
  void TearDown() override { ::umount2(copies_.c_str(), MNT_DETACH); }

  fs::path layer(const std::string& name, std::size_t size = mebibyte) {
    auto path = directory_.path() / name;
    base::write_file(path, std::string(size, name[0]));
    return path;
  }
  static ImageConfig image(const fs::path& layer) {
    return {.size = 64 * mebibyte, .files = {{layer.string(), 0, fs::file_size(layer)}}};
  }
  void set_last_use(const fs::path& copy, long seconds) {
    const std::array<timespec, 2> times{timespec{seconds, 0}, timespec{seconds, 0}};
    EXPECT_EQ(0, ::utimensat(AT_FDCWD, copy.c_str(), times.data(), 0));
  }
  auto copies() const { return std::distance(fs::directory_iterator(copies_), {}); }

  base::TemporaryDirectory directory_;
  fs::path copies_ = directory_.path() / "copies";
  HugeLayers layers_{copies_};
};

TEST_F(HugeLayersTest, ALayerIsCopiedOnceAndPadded) {
  const auto original = layer("layer", 3 * mebibyte);

  const auto first = layers_.use(image(original));
  const auto second = layers_.use(image(original));

  const auto& file = first.image.files.at(0);
  EXPECT_EQ(copies_, fs::path(file.path).parent_path());
  EXPECT_EQ(".erofs", fs::path(file.path).extension());
  EXPECT_EQ(4 * mebibyte, file.size);
  EXPECT_EQ(std::string(3 * mebibyte, 'l') + std::string(mebibyte, '\0'),
            base::read_file(file.path));
  EXPECT_EQ(file.path, second.image.files.at(0).path);
  EXPECT_EQ(1, copies());
}

TEST_F(HugeLayersTest, ALayerThatTheHostHasNotCachedStays) {
  const auto original = layer("layer", 0);
  fs::resize_file(original, mebibyte);  // it has no pages before they are read
  EXPECT_EQ(original, layers_.use(image(original)).image.files.at(0).path);
  EXPECT_EQ(0, copies());
}

TEST_F(HugeLayersTest, TheHostHoldsALayerOnce) {
  const auto original = layer("layer");
  const auto file = base::open_file(original, O_RDONLY);
  base::sync_data(file.get());  // what is not on its disk yet stays
  std::array<std::byte, 4096> content{};
  const std::array<std::span<std::byte>, 1> buffer{content};
  if (!base::preadv_cached(file.get(), buffer, 0)) GTEST_SKIP() << "/tmp is not on a disk";

  const auto used = layers_.use(image(original));

  ASSERT_NE(original, used.image.files.at(0).path);
  EXPECT_FALSE(base::preadv_cached(file.get(), buffer, 0));
}

TEST_F(HugeLayersTest, WhatIsTooSmallOrTooLargeStays) {
  const HugeLayers bounded(copies_, {.smallest = 8192, .largest = mebibyte});
  for (const auto& original : {layer("small", 8191), layer("large", mebibyte + 1)}) {
    const auto used = bounded.use(image(original));
    EXPECT_EQ(original, used.image.files.at(0).path);
    EXPECT_EQ(fs::file_size(original), used.image.files.at(0).size);
  }
}

TEST_F(HugeLayersTest, TheOneUnusedForLongestMakesRoom) {
  const HugeLayers bounded(copies_, {.together = 6 * mebibyte});
  const auto held = bounded.use(image(layer("held")));
  set_last_use(held.image.files[0].path, 1);
  const auto old = bounded.use(image(layer("old"))).image.files[0].path;
  set_last_use(old, 2);
  const auto recent = bounded.use(image(layer("recent"))).image.files[0].path;

  const auto added = bounded.use(image(layer("added")));

  EXPECT_TRUE(fs::exists(added.image.files[0].path));
  EXPECT_TRUE(fs::exists(held.image.files[0].path));
  EXPECT_TRUE(fs::exists(recent));
  EXPECT_FALSE(fs::exists(old));
}

TEST_F(HugeLayersTest, ALayerForWhichThereIsNoRoomStays) {
  const HugeLayers bounded(copies_, {.together = 2 * mebibyte});
  const auto held = bounded.use(image(layer("held")));
  const auto second = layer("second");
  EXPECT_EQ(second, bounded.use(image(second)).image.files.at(0).path);
  EXPECT_EQ(1, copies());
}

TEST_F(HugeLayersTest, StartsAtOnceKeepTogetherToTheBound) {
  constexpr std::uint64_t bound = 8 * mebibyte;
  const HugeLayers bounded(copies_, {.together = bound});
  std::vector<fs::path> originals;
  for (const auto* name : {"a", "b", "c", "d", "e", "f", "g", "h"})
    originals.push_back(layer(name));
  std::vector<LayersInUse> used(originals.size());
  {
    std::vector<std::jthread> starts;
    for (std::size_t i = 0; i < originals.size(); ++i) {
      starts.emplace_back([&, i] { used[i] = bounded.use(image(originals[i])); });
    }
  }
  std::uint64_t together = 0;
  for (const auto& copy : fs::directory_iterator(copies_)) together += fs::file_size(copy);
  EXPECT_EQ(bound, together);
}

TEST_F(HugeLayersTest, StartsAtOnceShareOneCopy) {
  const auto original = layer("layer");
  std::vector<LayersInUse> used(8);
  {
    std::vector<std::jthread> starts;
    for (auto& one : used) starts.emplace_back([&] { one = layers_.use(image(original)); });
  }
  for (const auto& one : used) EXPECT_EQ(copies_, fs::path(one.image.files[0].path).parent_path());
  EXPECT_EQ(1, copies());
}

TEST_F(HugeLayersTest, WhatIsUsedKeepsItsNameWhileOthersPrune) {
  const auto original = layer("layer");
  std::jthread pruning([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) layers_.prune();
  });
  for (int i = 0; i < 200; ++i) {
    const auto used = layers_.use(image(original));
    const fs::path path(used.image.files[0].path);
    EXPECT_TRUE(fs::exists(path)) << "in round " << i;
  }
}

TEST_F(HugeLayersTest, CopiesGoWithTheirLayers) {
  const auto removed = layer("removed");
  const auto changed = layer("changed");
  const auto kept = layer("kept");
  for (const auto& one : {removed, changed, kept}) layers_.use(image(one));
  fs::remove(removed);
  base::write_file(changed, "another");

  layers_.remove_orphans();

  EXPECT_EQ(1, copies());
  EXPECT_TRUE(fs::exists(layers_.use(image(kept)).image.files[0].path));
}

TEST_F(HugeLayersTest, LayersMayGoWhileOrphansAreLookedFor) {
  std::vector<fs::path> originals;
  for (char name = 'a'; name <= 'z'; ++name) originals.push_back(layer(std::string(1, name)));
  for (const auto& original : originals) layers_.use(image(original));
  {
    const std::jthread removing([&] {
      for (const auto& original : originals) fs::remove(original);
    });
    while (fs::exists(originals.back())) EXPECT_NO_THROW(layers_.remove_orphans());
  }
  EXPECT_NO_THROW(layers_.remove_orphans());
  EXPECT_EQ(0, copies());
}

TEST_F(HugeLayersTest, PruningLeavesWhatIsInUse) {
  const auto held = layers_.use(image(layer("held")));
  layers_.use(image(layer("unused")));
  EXPECT_EQ(2 * mebibyte, layers_.prune());
  EXPECT_TRUE(fs::exists(held.image.files[0].path));
  EXPECT_EQ(1, copies());
}

TEST_F(HugeLayersTest, AFullFileSystemLeavesTheLayer) {
  ASSERT_EQ(0, ::mount("none", copies_.c_str(), "tmpfs", MS_REMOUNT, "huge=always,size=2m"));
  const auto original = layer("layer", 3 * mebibyte);
  EXPECT_EQ(original, layers_.use(image(original)).image.files.at(0).path);
  EXPECT_EQ(0, copies());
}

TEST_F(HugeLayersTest, WithoutHugePagesNothingIsCopied) {
  const auto original = layer("layer");
  for (const auto& directory : {directory_.path(), directory_.path() / "missing"}) {
    EXPECT_EQ(original, HugeLayers(directory).use(image(original)).image.files.at(0).path);
  }
}

}  // namespace
}  // namespace twinbox::vmm
