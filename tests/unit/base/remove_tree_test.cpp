// Trees that are taken away by handles, whatever their makers do meanwhile.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/syscall.hpp"

namespace twinbox::base {
namespace {

namespace fs = std::filesystem;

TEST(RemoveTree, TakesNestedDirectoriesAndLeavesWhatLinksPointTo) {
  const TemporaryDirectory directory;
  fs::create_directories(directory.path() / "tree/a/b");
  write_file(directory.path() / "outside", "kept");
  fs::create_symlink(directory.path() / "outside", directory.path() / "tree/a/link");
  remove_tree(directory.path() / "tree");
  EXPECT_FALSE(fs::exists(directory.path() / "tree"));
  EXPECT_EQ(read_file(directory.path() / "outside"), "kept");
  EXPECT_NO_THROW(remove_tree(directory.path() / "tree")) << "nothing there is no error";
}

TEST(RemoveTree, NeverEntersAMount) {
  const TemporaryDirectory directory;
  fs::create_directories(directory.path() / "tree/mounted");
  fs::create_directories(directory.path() / "source");
  write_file(directory.path() / "source/precious", "kept");
  const auto target = (directory.path() / "tree/mounted").string();
  if (::mount((directory.path() / "source").c_str(), target.c_str(), nullptr, MS_BIND, nullptr) !=
      0) {
    GTEST_SKIP() << "needs the right to mount";
  }
  EXPECT_THROW(remove_tree(directory.path() / "tree"), Error);
  ::umount2(target.c_str(), MNT_DETACH);
  EXPECT_EQ(read_file(directory.path() / "source/precious"), "kept");
}

// While it lives, `name` in `directory` is by turns a directory and a link to `outside`.
class Swapping {
 public:
  Swapping(const fs::path& directory, const fs::path& outside)
      : name_(directory / "name"), other_(directory / "other") {
    fs::create_directories(name_);
    fs::create_directory_symlink(outside, other_);
    thread_ = std::jthread([this](const std::stop_token& stop) {
      while (!stop.stop_requested()) {
        ::renameat2(AT_FDCWD, name_.c_str(), AT_FDCWD, other_.c_str(), RENAME_EXCHANGE);
        begun_ = true;
        begun_.notify_one();
      }
    });
    begun_.wait(false);
  }

 private:
  fs::path name_;
  fs::path other_;
  std::atomic<bool> begun_ = false;
  std::jthread thread_;
};

TEST(RemoveTree, FollowsNoLinkPutThereMeanwhile) {
  const TemporaryDirectory directory("/dev/shm");  // fast, for many rounds
  const auto outside = directory.path() / "outside";
  fs::create_directories(outside);
  for (int round = 0; round < 800; ++round) {
    for (int file = 0; file < 20; ++file) write_file(outside / std::to_string(file), "kept");
    {
      const Swapping swapping(directory.path() / "tree", outside);
      try {
        remove_tree(directory.path() / "tree");
      } catch (const Error&) {  // it may well find what it did not expect
      }
    }
    remove_tree(directory.path() / "tree");
    ASSERT_EQ(names_in(outside).size(), 20U) << "in round " << round;
  }
}

// Directories in each other: 100 of them are more than PATH_MAX.
void make_deep(const fs::path& top, int depth) {
  const std::string name(100, 'd');
  fs::create_directory(top);
  Fd directory = open_file(top, O_PATH | O_DIRECTORY);
  for (int level = 0; level < depth; ++level) {
    ASSERT_EQ(::mkdirat(directory.get(), name.c_str(), 0755), 0);
    ASSERT_EQ(::mkdirat(directory.get(), "beside", 0755), 0);
    directory = open_at(directory.get(), name, O_PATH | O_DIRECTORY);
    open_at(directory.get(), "file", O_WRONLY | O_CREAT);
  }
}

TEST(RemoveTree, TakesWhatIsDeeperThanAPathAndThanDescriptorsReach) {
  const TemporaryDirectory directory;
  make_deep(directory.path() / "tree", 150);
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  const rlimit few{.rlim_cur = 64, .rlim_max = before.rlim_max};
  ::setrlimit(RLIMIT_NOFILE, &few);
  EXPECT_NO_THROW(remove_tree(directory.path() / "tree"));
  ::setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_FALSE(fs::exists(directory.path() / "tree"));
}

TEST(RemoveTree, NamesWhatItCannotTake) {
  const TemporaryDirectory directory;
  fs::create_directories(directory.path() / "tree/a/mounted");
  const auto target = (directory.path() / "tree/a/mounted").string();
  if (::mount("none", target.c_str(), "tmpfs", 0, nullptr) != 0) {
    GTEST_SKIP() << "needs the right to mount";
  }
  try {
    remove_tree(directory.path() / "tree");
    ADD_FAILURE() << "expected an error";
  } catch (const Error& error) {
    EXPECT_EQ(error.message(), "cannot remove " + target + ": something is mounted there");
  }
  ::umount2(target.c_str(), MNT_DETACH);
}

TEST(RemoveTree, MayBeDoneByManyAtOnce) {
  const TemporaryDirectory directory;
  make_deep(directory.path() / "tree", 100);
  {
    const auto remove = [&] { EXPECT_NO_THROW(remove_tree(directory.path() / "tree")); };
    const std::jthread one(remove), other(remove), third(remove);
  }
  EXPECT_FALSE(fs::exists(directory.path() / "tree"));
}

TEST(RemoveTree, TakesAFileALinkAndANameWithASlash) {
  const TemporaryDirectory directory;
  write_file(directory.path() / "file", "x");
  fs::create_directory_symlink("/nowhere", directory.path() / "link");
  fs::create_directories(directory.path() / "tree/a");
  remove_tree(directory.path() / "file");
  remove_tree(directory.path() / "link");
  remove_tree(directory.path() / "tree/");
  remove_tree("/nowhere/at/all");
  EXPECT_TRUE(names_in(directory.path()).empty());
}

}  // namespace
}  // namespace twinbox::base
