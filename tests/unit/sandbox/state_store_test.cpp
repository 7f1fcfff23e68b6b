#include "sandbox/state_store.hpp"

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <optional>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/syscall.hpp"

namespace twinbox::sandbox {
namespace {

namespace fs = std::filesystem;

struct Cleaned {
  std::string engine;
  std::string id;
};

std::vector<Cleaned> sweep(const fs::path& boxes) {
  std::vector<Cleaned> cleaned;
  sweep_boxes(boxes, [&](const std::string& engine, const std::string& id, const fs::path& path) {
    EXPECT_TRUE(fs::exists(path)) << "an engine finds its notes in the directory";
    cleaned.push_back({engine, id});
  });
  return cleaned;
}

TEST(StateStore, RecordsABoxForAsLongAsItLives) {
  const base::TemporaryDirectory root;
  {
    const auto box = BoxDirectory::create(root.path(), "container", "busybox");
    const auto records = list_boxes(root.path());
    ASSERT_EQ(records.size(), 1U);
    EXPECT_EQ(records[0].id, box.id());
    EXPECT_EQ(records[0].engine, "container");
    EXPECT_EQ(records[0].image, "busybox");
    EXPECT_EQ(records[0].pid, ::getpid());
    EXPECT_TRUE(sweep(root.path()).empty());
  }
  EXPECT_TRUE(list_boxes(root.path()).empty());
}

TEST(StateStore, CleansUpAfterAnOwnerThatWasKilled) {
  const base::TemporaryDirectory root;
  auto [read_end, write_end] = base::make_pipe();
  const pid_t owner = ::fork();
  if (owner == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // also when an assertion below ends the test early
    const auto box = BoxDirectory::create(root.path(), "vm", "busybox");
    base::write_all(write_end.get(), box.id());
    for (;;) ::pause();
  }
  std::string id(12, ' ');
  ASSERT_EQ(base::read_some(read_end.get(), std::as_writable_bytes(std::span(id))), 12U);
  ::kill(owner, SIGKILL);
  base::wait_for(owner);

  const auto cleaned = sweep(root.path());
  ASSERT_EQ(cleaned.size(), 1U);
  EXPECT_EQ(cleaned[0].engine, "vm");
  EXPECT_EQ(cleaned[0].id, id);
  EXPECT_TRUE(fs::is_empty(root.path()));
}

TEST(StateStore, CleansUpForEveryEngineWhereTheRecordIsLost) {
  const base::TemporaryDirectory root;
  fs::create_directory(root.path() / "0123456789ab");
  base::write_file(root.path() / "0123456789ab/box.json", "{\"id\":");
  const auto cleaned = sweep(root.path());
  ASSERT_EQ(cleaned.size(), 1U);
  EXPECT_EQ(cleaned[0].engine, "");
  EXPECT_TRUE(fs::is_empty(root.path()));
}

TEST(StateStore, ListsNothingWhereThereAreNoBoxes) {
  const base::TemporaryDirectory root;
  EXPECT_TRUE(list_boxes(root.path() / "missing").empty());
}

}  // namespace
}  // namespace twinbox::sandbox
