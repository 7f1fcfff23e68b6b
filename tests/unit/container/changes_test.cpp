#include "container/changes.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/syscall.hpp"

namespace twinbox::container {
namespace {

class Changes : public testing::Test {
 protected:
  void make_nested(int depth, const std::string& name) const {
    base::Fd directory = base::open_file(directory_.path(), O_PATH | O_DIRECTORY);
    for (int level = 0; level < depth; ++level) {
      ASSERT_EQ(::mkdirat(directory.get(), name.c_str(), 0755), 0);
      directory = base::open_at(directory.get(), name, O_PATH | O_DIRECTORY);
    }
  }

  std::vector<sandbox::FileChange> find() const {
    return find_changes(base::open_file(directory_.path(), O_PATH | O_DIRECTORY).get(), {}, {});
  }

  base::TemporaryDirectory directory_;
};

TEST_F(Changes, AreFoundDeeperThanDescriptorsReach) {
  make_nested(200, "d");
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  const rlimit few{.rlim_cur = 64, .rlim_max = before.rlim_max};
  ::setrlimit(RLIMIT_NOFILE, &few);
  EXPECT_NO_THROW(EXPECT_EQ(find().size(), 200U));
  ::setrlimit(RLIMIT_NOFILE, &before);
}

TEST_F(Changes, DeeperThanAPathAreRefused) {
  make_nested(50, std::string(100, 'd'));
  try {
    find();
    ADD_FAILURE() << "expected an error";
  } catch (const base::Error& error) {
    EXPECT_EQ(error.kind(), base::ErrorKind::unsupported);
    EXPECT_NE(error.message().find("deeper than a path's 4096 bytes"), std::string::npos);
  }
  base::remove_tree(directory_.path() / std::string(100, 'd'));
}

TEST_F(Changes, FollowNoLinkOutOfTheBox) {
  std::filesystem::create_directory_symlink("/etc", directory_.path() / "link");
  const auto changes = find();
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(changes[0].path, "/link");
}

}  // namespace
}  // namespace twinbox::container
