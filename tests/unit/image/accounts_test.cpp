#include "image/accounts.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "base/file.hpp"

namespace twinbox::image {
namespace {

namespace fs = std::filesystem;

class Accounts : public testing::Test {
 protected:
  Accounts() {
    for (const auto* const layer : {"lower", "upper"}) {
      fs::create_directories(directory_.path() / layer / "etc");
      layers_.push_back(directory_.path() / layer);
    }
    base::write_file(layers_[0] / "etc/passwd",
                     "root:x:0:0:root:/root:/bin/sh\nweb:x:33:34:web:/srv:/bin/sh\n");
    base::write_file(layers_[0] / "etc/group", "root:x:0:\nlogs:x:4:web,other\nstaff:x:50:\n");
  }

  base::TemporaryDirectory directory_;
  std::vector<fs::path> layers_;
};

TEST_F(Accounts, AreRootByDefault) {
  const auto account = find_account(layers_, "");
  EXPECT_EQ(account.user.uid, 0U);
  EXPECT_EQ(account.user.gid, 0U);
  EXPECT_EQ(account.home, "/root");
}

TEST_F(Accounts, AreFoundByNameAndByNumberWithTheirGroups) {
  for (const auto* const wanted : {"web", "33"}) {
    const auto account = find_account(layers_, wanted);
    EXPECT_EQ(account.user.uid, 33U);
    EXPECT_EQ(account.user.gid, 34U);
    EXPECT_EQ(account.user.additional_gids, std::vector<std::uint32_t>{4});
    EXPECT_EQ(account.home, "/srv");
  }
}

TEST_F(Accounts, TakeAnExplicitGroup) {
  EXPECT_EQ(find_account(layers_, "web:staff").user.gid, 50U);
  EXPECT_EQ(find_account(layers_, "web:77").user.gid, 77U);
  EXPECT_TRUE(find_account(layers_, "web:staff").user.additional_gids.empty());
}

TEST_F(Accounts, AreNotLookedForInFilesWithoutEnd) {
  for (const auto* const file : {"etc/passwd", "etc/group"}) {
    base::write_file(layers_[1] / file, "web:x:1:2:web:/srv:/bin/sh\n");
    fs::resize_file(layers_[1] / file, 1ULL << 40U);
    try {
      find_account(layers_, "web:staff");
      ADD_FAILURE() << "expected an error";
    } catch (const base::Error& error) {
      EXPECT_EQ(error.message(), fmt::format("the image's /{} is longer than 1.0 MiB", file));
    }
    fs::resize_file(layers_[1] / file, 27);
  }
}

TEST_F(Accounts, NeedNoEntryForANumber) {
  const auto account = find_account(layers_, "4000:5000");
  EXPECT_EQ(account.user.uid, 4000U);
  EXPECT_EQ(account.user.gid, 5000U);
  EXPECT_EQ(account.home, "/");
  EXPECT_EQ(find_account(layers_, "4000").user.gid, 0U);
}

TEST_F(Accounts, ByNumberAreNeverFoundByName) {
  base::write_file(layers_[1] / "etc/passwd", "1000:x:0:0::/root:/bin/sh\n");
  base::write_file(layers_[1] / "etc/group", "1000:x:0:\n");
  EXPECT_EQ(find_account(layers_, "1000").user.uid, 1000U);
  EXPECT_EQ(find_account(layers_, "1:1000").user.gid, 1000U);
  EXPECT_EQ(find_group(layers_, "1000"), 1000U);
}

TEST_F(Accounts, HaveGroupsByNameAndByNumber) {
  EXPECT_EQ(find_group(layers_, "logs"), 4U);
  EXPECT_EQ(find_group(layers_, "4000"), 4000U);
  EXPECT_THROW(find_group(layers_, "nogroup"), base::Error);
}

TEST_F(Accounts, OfTheTopmostLayerCount) {
  base::write_file(layers_[1] / "etc/passwd", "web:x:99:99::/new:/bin/sh\n");
  EXPECT_EQ(find_account(layers_, "web").user.uid, 99U);
}

TEST_F(Accounts, ThatAreUnknownAreNamed) {
  for (const auto* const wanted : {"nobody", "-1", "4294967296", ":", "web:nogroup"}) {
    EXPECT_THROW(find_account(layers_, wanted), base::Error) << wanted;
  }
}

TEST_F(Accounts, NeverComeFromTheHost) {
  fs::remove(layers_[0] / "etc/passwd");
  base::write_file(directory_.path() / "passwd", "web:x:1:1::/:/bin/sh\n");
  fs::create_symlink("../../passwd", layers_[0] / "etc/passwd");
  EXPECT_THROW(find_account(layers_, "web"), base::Error);
  fs::remove(layers_[0] / "etc/passwd");
  fs::create_symlink(directory_.path() / "passwd", layers_[0] / "etc/passwd");
  EXPECT_THROW(find_account(layers_, "web"), base::Error);
}

TEST_F(Accounts, SurviveBrokenTables) {
  base::write_file(layers_[0] / "etc/passwd", "\n::\nweb\nweb:x\nweb:x:notanumber:0::/:\n");
  EXPECT_THROW(find_account(layers_, "web"), base::Error);
  EXPECT_EQ(find_account(layers_, "7").user.uid, 7U);
}

}  // namespace
}  // namespace twinbox::image
