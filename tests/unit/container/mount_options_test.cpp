#include "container/mount_options.hpp"

#include <gtest/gtest.h>
#include <sys/mount.h>

#include "container/overlay.hpp"

namespace twinbox::container {
namespace {

TEST(MountOptions, SortsAttributesFromTheFileSystemsOwn) {
  const auto options =
      parse_mount_options({"nosuid", "noexec", "mode=1777", "size=64k", "newinstance"});

  EXPECT_EQ(options.set, std::uint64_t{MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC});
  EXPECT_EQ(options.data,
            (FilesystemOptions{{"mode", "1777"}, {"size", "64k"}, {"newinstance", ""}}));
  EXPECT_FALSE(options.bind);
}

TEST(MountOptions, LastWordCounts) {
  EXPECT_EQ(parse_mount_options({"ro", "rw"}).set, 0U);
  EXPECT_EQ(parse_mount_options({"ro", "rw"}).clear, std::uint64_t{MOUNT_ATTR_RDONLY});
  EXPECT_EQ(parse_mount_options({"rw", "ro"}).set, std::uint64_t{MOUNT_ATTR_RDONLY});
  EXPECT_EQ(parse_mount_options({"rw", "ro"}).clear, 0U);
}

TEST(MountOptions, AccessTimesExcludeEachOther) {
  const auto options = parse_mount_options({"noatime", "strictatime"});

  EXPECT_EQ(options.set & MOUNT_ATTR__ATIME, std::uint64_t{MOUNT_ATTR_STRICTATIME});
}

TEST(MountOptions, KnowsBinds) {
  EXPECT_TRUE(parse_mount_options({"bind"}).bind);
  EXPECT_FALSE(parse_mount_options({"bind"}).recursive);
  EXPECT_TRUE(parse_mount_options({"rbind"}).recursive);
  EXPECT_TRUE(parse_mount_options({"rbind", "rprivate"}).data.empty());
}

TEST(Overlay, EscapesWhatSeparatesItsOptions) {
  EXPECT_EQ(escape_overlay_path("/plain/path"), "/plain/path");
  EXPECT_EQ(escape_overlay_path("/a,b:c\\d"), "/a\\,b\\:c\\\\d");
  EXPECT_EQ(upper_option("/var/a:b"), "upperdir=/var/a\\:b/upper");
}

}  // namespace
}  // namespace twinbox::container
