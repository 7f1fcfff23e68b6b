#include "vmm/template_store.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "base/file.hpp"

namespace twinbox::vmm {
namespace {

namespace fs = std::filesystem;

class TemplateStore : public testing::Test {
 protected:
  fs::path make(const std::string& name) {
    const auto path = directory_.path() / (name + ".snapshot");
    base::write_file(path, std::string(8192, 's'));
    lock_template(path);
    return path;
  }
  std::size_t files() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(directory_.path()), {}));
  }

  base::TemporaryDirectory directory_;
};

TEST_F(TemplateStore, IsLockedByOneAtATime) {
  const auto path = directory_.path() / "key.snapshot";
  auto held = lock_template(path);
  ASSERT_TRUE(held);
  EXPECT_FALSE(lock_template(path));
  held.reset();
  EXPECT_TRUE(lock_template(path));
}

TEST_F(TemplateStore, PruningLeavesNothingButWhatIsBeingMade) {
  make("one");
  const auto two = make("two");
  base::write_file(two.string() + ".checked", "as it was\n");
  base::write_file(two.string() + ".written", "0 4096\n");
  const auto busy = make("busy");
  const auto lock = lock_template(busy);

  EXPECT_EQ(2 * 8192U, prune_templates(directory_.path()));

  EXPECT_TRUE(fs::exists(busy));
  EXPECT_EQ(2U, files());
}

TEST_F(TemplateStore, NothingIsPrunedWhereThereIsNothing) {
  EXPECT_EQ(0U, prune_templates(directory_.path() / "missing"));
}

TEST_F(TemplateStore, KeepsTheOnesUsedLast) {
  const auto made = make("made");
  std::vector<fs::path> others;
  for (int i = 1; i <= 10; ++i) others.push_back(make(std::to_string(i)));
  std::ranges::reverse(others);
  for (const auto& one : others) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));  // file systems' time goes in ticks
    note_use(one);
  }

  remove_old_templates(made);

  EXPECT_TRUE(fs::exists(made));
  EXPECT_EQ(2 * 8U, files());
  for (std::size_t i = 0; i < others.size(); ++i) EXPECT_EQ(i > 2, fs::exists(others[i])) << i;
}

TEST_F(TemplateStore, SweepsTheDraftsOfOneTemplate) {
  const auto path = make("one");
  base::write_file(path.string() + ".4711.part", "half");
  const auto other = directory_.path() / "two.snapshot.4711.part";
  base::write_file(other, "half");

  remove_drafts(path);

  EXPECT_TRUE(fs::exists(path));
  EXPECT_TRUE(fs::exists(other));
  EXPECT_EQ(3U, files());
}

}  // namespace
}  // namespace twinbox::vmm
