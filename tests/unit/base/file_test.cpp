#include "base/file.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"

namespace twinbox::base {
namespace {

namespace fs = std::filesystem;

TEST(File, ReadsWhatWasWritten) {
  const TemporaryDirectory directory;
  const std::string text("a\0b\n", 4);
  write_file(directory.path() / "file", text);
  EXPECT_EQ(read_file(directory.path() / "file"), text);
}

TEST(File, NamesTheMissingFile) {
  try {
    read_file("/nowhere/file");
    FAIL() << "expected an error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::not_found);
    EXPECT_NE(error.message().find("/nowhere/file"), std::string::npos);
  }
}

TEST(File, NamesTheDirectoryTakenForAFile) {
  try {
    read_file("/proc");
    FAIL() << "expected an error";
  } catch (const Error& error) {
    EXPECT_NE(error.message().find("/proc"), std::string::npos);
  }
}

TEST(File, AtomicWriteReplacesAndLeavesNoDraft) {
  const TemporaryDirectory directory;
  const auto path = directory.path() / "record";
  write_file_atomic(path, "old");
  write_file_atomic(path, "new");
  EXPECT_EQ(read_file(path), "new");
  EXPECT_EQ(std::distance(fs::directory_iterator(directory.path()), fs::directory_iterator()), 1);
}

TEST(File, AtomicWriteThatFailsKeepsTheOldAndNoDraft) {
  const TemporaryDirectory directory;
  const auto path = directory.path() / "record";
  fs::create_directory(path);
  write_file(path / "inside", "kept");  // a directory in the way makes the rename fail
  EXPECT_THROW(write_file_atomic(path, "new"), Error);
  EXPECT_EQ(read_file(path / "inside"), "kept");
  EXPECT_EQ(std::distance(fs::directory_iterator(directory.path()), fs::directory_iterator()), 1);
}

TEST(File, DirectoriesThatCannotBeMadeAreNamed) {
  const TemporaryDirectory directory;
  write_file(directory.path() / "file", "");
  try {
    make_directories(directory.path() / "file" / "below");
    FAIL() << "expected an error";
  } catch (const Error& error) {
    EXPECT_NE(error.message().find("file/below"), std::string::npos);
  }
}

TEST(File, UniqueDirectoriesAreTheirOwnersAlone) {
  const TemporaryDirectory directory;
  const auto one = make_unique_directory(directory.path(), "work-");
  const auto other = make_unique_directory(directory.path(), "work-");
  EXPECT_NE(one, other);
  EXPECT_EQ(one.parent_path(), directory.path());
  EXPECT_TRUE(one.filename().string().starts_with("work-"));
  EXPECT_EQ(fs::status(one).permissions(), fs::perms::owner_all);
}

TEST(File, UniqueDirectoriesThatCannotBeMadeAreNamed) {
  try {
    make_unique_directory("/nowhere", "work-");
    FAIL() << "expected an error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::not_found);
    EXPECT_NE(error.message().find("/nowhere/work-"), std::string::npos);
  }
}

TEST(TemporaryDirectory, GoesWithAllThatIsInIt) {
  fs::path path;
  {
    const TemporaryDirectory directory;
    path = directory.path();
    fs::create_directories(path / "a/b");
    write_file(path / "a/b/c", "x");
  }
  EXPECT_FALSE(fs::exists(path));
}

}  // namespace
}  // namespace twinbox::base
