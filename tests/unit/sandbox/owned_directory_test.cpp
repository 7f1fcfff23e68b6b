#include "sandbox/owned_directory.hpp"

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <optional>
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

TEST(OwnedDirectory, WhoseRemovalWasCutShortIsSwept) {
  const base::TemporaryDirectory root;
  fs::create_directories(root.path() / "0123456789ab.gone/root/deep");
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

TEST(OwnedDirectory, IsSweptAlthoughAChildOfTheKilledOwnerLives) {
  const base::TemporaryDirectory root;
  auto [read_end, write_end] = base::make_pipe();
  const pid_t owner = ::fork();
  if (owner == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    const auto owned = OwnedDirectory::create(root.path());
    const pid_t child = ::fork();  // with copies of all descriptors, as a box has before its exec
    if (child != 0) base::write_all(write_end.get(), std::to_string(child) + "\n");
    for (;;) ::pause();
  }
  std::string child(16, '\0');
  ASSERT_TRUE(base::read_some(read_end.get(), std::as_writable_bytes(std::span(child))));
  ::kill(owner, SIGKILL);
  base::wait_for(owner);
  sweep_ownerless(root.path());
  EXPECT_EQ(count_entries(root.path()), 0U);
  ::kill(std::stoi(child), SIGKILL);
}

TEST(OwnedDirectory, IsNeitherOwnedNorRemovedByAForkedChild) {
  const base::TemporaryDirectory root;
  std::optional<OwnedDirectory> owned(OwnedDirectory::create(root.path()));
  const pid_t child = ::fork();
  if (child == 0) {
    const bool taken = OwnedDirectory::take(owned->path()).has_value();
    const auto path = owned->path();
    owned.reset();
    ::_exit(!taken && fs::exists(path) ? 0 : 1);
  }
  EXPECT_EQ(base::shell_status(base::wait_for(child)), 0);
  sweep_ownerless(root.path());
  EXPECT_TRUE(fs::exists(owned->path()));
}

TEST(OwnedDirectory, LeavesItsPlaceAtOnceWhenGivenUp) {
  const base::TemporaryDirectory root;
  auto owned = OwnedDirectory::create(root.path());
  const auto path = owned.path();
  owned.give_up();
  EXPECT_FALSE(fs::exists(path));
  EXPECT_EQ(count_entries(root.path()), 1U);
  { const OwnedDirectory removed = std::move(owned); }
  EXPECT_EQ(count_entries(root.path()), 0U);
}

TEST(OwnedDirectory, ThatCannotBeMadeIsAnErrorThatNamesIt) {
  const base::TemporaryDirectory root;
  base::write_file(root.path() / "file", "");
  try {
    OwnedDirectory::create(root.path() / "file");
    FAIL() << "made below a file";
  } catch (const base::Error& error) {
    EXPECT_NE(error.message().find((root.path() / "file").string()), std::string::npos);
  }
}

// The race this guards: a sweep between mkdir and the lock of a directory that is just being made.
TEST(OwnedDirectory, IsNeverTakenFromALiveOwnerByConcurrentSweeps) {
  const base::TemporaryDirectory root;
  std::vector<pid_t> sweepers;
  for (int i = 0; i < 3; ++i) {
    const pid_t sweeper = ::fork();
    if (sweeper == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      for (;;) sweep_ownerless(root.path());
    }
    sweepers.push_back(sweeper);
  }
  int lost = 0;
  for (int i = 0; i < 1000; ++i) {
    const auto owned = OwnedDirectory::create(root.path());
    base::write_file(owned.path() / "file", "x");
    if (!fs::exists(owned.path() / "file")) ++lost;
  }
  for (const pid_t sweeper : sweepers) {
    ::kill(sweeper, SIGKILL);
    base::wait_for(sweeper);
  }
  sweep_ownerless(root.path());  // a sweeper may have been killed at its work
  EXPECT_EQ(lost, 0);
  EXPECT_EQ(count_entries(root.path()), 0U);
}

TEST(OwnedDirectory, IsNeverTakenFromAnotherThreadOfItsProcess) {
  const base::TemporaryDirectory root;
  std::atomic<bool> done = false;
  int lost = 0;
  {
    const std::jthread sweeper([&] {
      while (!done) sweep_ownerless(root.path());
    });
    for (int i = 0; i < 300; ++i) {
      const auto owned = OwnedDirectory::create(root.path());
      base::write_file(owned.path() / "file", "x");
      if (!fs::exists(owned.path() / "file")) ++lost;
    }
    done = true;
  }
  EXPECT_EQ(lost, 0);
}

}  // namespace
}  // namespace twinbox::sandbox
