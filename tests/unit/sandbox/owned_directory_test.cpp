#include "sandbox/owned_directory.hpp"

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <set>
#include <thread>
#include <vector>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/syscall.hpp"

namespace twinbox::sandbox {
namespace {

namespace fs = std::filesystem;

std::size_t count_entries(const fs::path& directory) {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : fs::directory_iterator(directory)) ++count;
  return count;
}

TEST(OwnedDirectory, IsRemovedWithItsOwnerAndItsParentIsMade) {
  const base::TemporaryDirectory root;
  const auto parent = root.path() / "a/b";
  {
    const auto owned = OwnedDirectory::create(parent);
    EXPECT_EQ(owned.name().size(), 12U);
    base::write_file(owned.path() / "file", "x");
    EXPECT_EQ(count_entries(parent), 1U);
  }
  EXPECT_EQ(count_entries(parent), 0U);
}

TEST(OwnedDirectory, SurvivesASweepWhileItsOwnerLives) {
  const base::TemporaryDirectory root;
  const auto owned = OwnedDirectory::create(root.path());
  sweep_ownerless(root.path());
  EXPECT_TRUE(fs::exists(owned.path()));
}

TEST(OwnedDirectory, IsSweptAfterItsOwnerWasKilled) {
  const base::TemporaryDirectory root;
  auto [read_end, write_end] = base::make_pipe();
  const pid_t owner = ::fork();
  if (owner == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // also when an assertion below ends the test early
    const auto owned = OwnedDirectory::create(root.path());
    base::write_file(owned.path() / "file", "x");
    base::write_all(write_end.get(), "ready");
    for (;;) ::pause();
  }
  std::byte ready{};
  ASSERT_TRUE(base::read_some(read_end.get(), {&ready, 1}));
  sweep_ownerless(root.path());
  EXPECT_EQ(count_entries(root.path()), 1U) << "its owner still runs";

  ::kill(owner, SIGKILL);
  base::wait_for(owner);
  std::vector<fs::path> undone;
  sweep_ownerless(root.path(), [&](const fs::path& path) { undone.push_back(path); });
  EXPECT_EQ(undone.size(), 1U);
  EXPECT_EQ(count_entries(root.path()), 0U);
}

TEST(OwnedDirectory, OfAnOwnerKilledBeforeItLockedIsSwept) {
  const base::TemporaryDirectory root;
  fs::create_directory(root.path() / "0123456789ab");
  sweep_ownerless(root.path());
  EXPECT_EQ(count_entries(root.path()), 0U);
}

TEST(OwnedDirectory, StaysWhenUndoingFailsAndGoesWithTheNextSweep) {
  const base::TemporaryDirectory root;
  fs::create_directory(root.path() / "0123456789ab");
  testing::internal::CaptureStderr();
  sweep_ownerless(root.path(), [](const fs::path&) {
    throw base::Error(base::ErrorKind::system, "the mount is busy");
  });
  EXPECT_NE(testing::internal::GetCapturedStderr().find("the mount is busy"), std::string::npos);
  EXPECT_EQ(count_entries(root.path()), 1U);
  sweep_ownerless(root.path());
  EXPECT_EQ(count_entries(root.path()), 0U);
}

TEST(OwnedDirectory, SweepOfAMissingParentIsNothing) {
  const base::TemporaryDirectory root;
  EXPECT_NO_THROW(sweep_ownerless(root.path() / "missing"));
}

// The race this guards: a sweep between mkdir and flock of a directory that is just being made.
TEST(OwnedDirectory, IsNeverTakenFromALiveOwnerByConcurrentSweeps) {
  const base::TemporaryDirectory root;
  std::atomic<bool> done = false;
  std::atomic<int> lost = 0;
  {
    std::vector<std::jthread> sweepers;
    for (int i = 0; i < 3; ++i) {
      sweepers.emplace_back([&] {
        while (!done) sweep_ownerless(root.path());
      });
    }
    for (int i = 0; i < 300; ++i) {
      const auto owned = OwnedDirectory::create(root.path());
      base::write_file(owned.path() / "file", "x");
      if (!fs::exists(owned.path() / "file")) ++lost;
    }
    done = true;
  }
  EXPECT_EQ(lost, 0);
  EXPECT_EQ(count_entries(root.path()), 0U);
}

}  // namespace
}  // namespace twinbox::sandbox
