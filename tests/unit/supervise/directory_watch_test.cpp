#include "supervise/directory_watch.hpp"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/error.hpp"
#include "base/file.hpp"

namespace twinbox::supervise {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr auto never = 100s;  // the test's time limit ends a wait that nothing ends

TEST(DirectoryWatch, SeesWhatHappensAfterItsConstruction) {
  const base::TemporaryDirectory root;
  DirectoryWatch watch(root.path());
  base::write_file(root.path() / "file", "x");
  watch.wait(never);
  base::write_file(root.path() / "file", "xy");
  watch.wait(never);
  fs::rename(root.path() / "file", root.path() / "other");
  watch.wait(never);
  EXPECT_FALSE(watch.gone());
}

TEST(DirectoryWatch, ReturnsWhenNothingHappens) {
  const base::TemporaryDirectory root;
  DirectoryWatch watch(root.path());
  watch.wait(1ms);
  EXPECT_FALSE(watch.gone());
}

TEST(DirectoryWatch, SeesTheDirectoryItselfGo) {
  const base::TemporaryDirectory root;
  fs::create_directory(root.path() / "box");
  fs::create_directory(root.path() / "other");
  DirectoryWatch renamed(root.path() / "box");
  DirectoryWatch removed(root.path() / "other");
  fs::rename(root.path() / "box", root.path() / "box.gone");
  fs::remove(root.path() / "other");
  renamed.wait(never);
  removed.wait(never);
  EXPECT_TRUE(renamed.gone());
  EXPECT_TRUE(removed.gone());
}

TEST(DirectoryWatch, OfADirectoryThatIsNotThereIsAnErrorThatNamesIt) {
  try {
    DirectoryWatch watch("/nowhere/at-all");
    FAIL() << "watches nothing";
  } catch (const base::Error& error) {
    EXPECT_NE(error.message().find("/nowhere/at-all"), std::string::npos);
  }
}

}  // namespace
}  // namespace twinbox::supervise
