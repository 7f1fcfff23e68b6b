#include "image/unpack.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <thread>

#include "base/error.hpp"
#include "tests/unit/image/archive_builder.hpp"

namespace twinbox::image {
namespace {

namespace fs = std::filesystem;

// Unpacks into a directory of its own, with a neighbour that nothing may reach.
class Unpack : public testing::Test {
 protected:
  Unpack() {
    fs::create_directory(root());
    base::write_file(outside(), "untouched");
  }

  fs::path root() const { return directory_.path() / "root"; }
  fs::path outside() const { return directory_.path() / "outside"; }

  void unpack(const TarBuilder& tar, const UnpackOptions& options = {}) const {
    const auto text = tar.text();
    std::size_t at = 0;
    unpack_tar(
        [&] {
          const auto next = std::min<std::size_t>(text.size() - at, 1000);
          const auto bytes = std::as_bytes(std::span(text).subspan(at, next));
          at += next;
          return bytes;
        },
        root(), options);
  }

  // The message of the refusal; fails the test when there is none.
  std::string refusal(const TarBuilder& tar, const UnpackOptions& options = {}) const {
    try {
      unpack(tar, options);
    } catch (const base::Error& error) {
      return error.message();
    }
    ADD_FAILURE() << "the archive was accepted";
    return {};
  }

  static struct stat status(const fs::path& path) {
    struct stat result {};
    EXPECT_EQ(::lstat(path.c_str(), &result), 0) << path;
    return result;
  }

  base::TemporaryDirectory directory_;
};

TEST_F(Unpack, MakesFilesDirectoriesAndLinksWithModesAndTimes) {
  unpack(TarBuilder()
             .directory("./")
             .directory("./etc", 0750)
             .file("./etc/name", "box", 0640)
             .symbolic_link("./etc/link", "name")
             .hard_link("./etc/same", "./etc/name")
             .fifo("./pipe"));
  EXPECT_EQ(base::read_file(root() / "etc/name"), "box");
  EXPECT_EQ(status(root() / "etc/name").st_mode, S_IFREG | 0640U);
  EXPECT_EQ(status(root() / "etc").st_mode, S_IFDIR | 0750U);
  EXPECT_EQ(status(root() / "etc").st_mtim.tv_sec, 1'000'000);
  EXPECT_EQ(status(root() / "etc/name").st_mtim.tv_sec, 1'000'000);
  EXPECT_EQ(fs::read_symlink(root() / "etc/link"), "name");
  EXPECT_EQ(status(root() / "etc/same").st_ino, status(root() / "etc/name").st_ino);
  EXPECT_TRUE(S_ISFIFO(status(root() / "pipe").st_mode));
}

TEST_F(Unpack, MakesParentsThatTheArchiveLeavesOut) {
  unpack(TarBuilder().file("a/b/c", "deep"));
  EXPECT_EQ(base::read_file(root() / "a/b/c"), "deep");
}

TEST_F(Unpack, AcceptsAnEmptyArchive) {
  EXPECT_NO_THROW(unpack(TarBuilder()));
  EXPECT_TRUE(fs::is_empty(root()));
}

TEST_F(Unpack, RefusesAbsoluteAndClimbingNames) {
  EXPECT_NE(refusal(TarBuilder().file("/etc/passwd", "x")).find("'/etc/passwd' is absolute"),
            std::string::npos);
  EXPECT_NE(refusal(TarBuilder().file("../outside", "x")).find("leads out"), std::string::npos);
  EXPECT_NE(refusal(TarBuilder().file("a/../../outside", "x")).find("leads out"),
            std::string::npos);
  EXPECT_NE(refusal(TarBuilder().directory("..")).find("leads out"), std::string::npos);
  EXPECT_EQ(base::read_file(outside()), "untouched");
}

TEST_F(Unpack, KeepsFilesBelowALinkInsideTheRoot) {
  // As the image sees it, the link leads to /: a directory of the image, never one of the host.
  unpack(TarBuilder()
             .symbolic_link("up", "../../../../..")
             .symbolic_link("host", directory_.path().string())
             .file("up/outside", "inside"));
  EXPECT_EQ(base::read_file(root() / "outside"), "inside");
  EXPECT_EQ(base::read_file(outside()), "untouched");
  EXPECT_FALSE(refusal(TarBuilder().file("host/outside", "x")).empty())
      << "the link's target is not in the image";
  EXPECT_EQ(base::read_file(outside()), "untouched");
}

TEST_F(Unpack, PutsNothingThroughALinkWhereToldTo) {
  const UnpackOptions options{.tree = {.links = TreeRules::Links::refused}};
  fs::create_directories(root() / "other");
  const auto linked = TarBuilder().symbolic_link("name", "/");
  for (auto tar :
       {linked, TarBuilder().symbolic_link("name", "other").symbolic_link("b", "name")}) {
    EXPECT_FALSE(refusal(tar.file("name/file", "x"), options).empty());
    EXPECT_FALSE(refusal(tar.hard_link("name/file", "name"), options).empty());
  }
  EXPECT_FALSE(fs::exists(root() / "file"));
  EXPECT_TRUE(fs::is_empty(root() / "other"));
  unpack(TarBuilder().symbolic_link("name", "/").directory("name").file("name/file", "x"), options);
  EXPECT_EQ(base::read_file(root() / "name/file"), "x");
}

TEST_F(Unpack, ReplacesALinkInsteadOfWritingThroughIt) {
  unpack(TarBuilder().symbolic_link("file", outside().string()).file("file", "new"));
  EXPECT_EQ(base::read_file(root() / "file"), "new");
  EXPECT_FALSE(fs::is_symlink(root() / "file"));
  EXPECT_EQ(base::read_file(outside()), "untouched");
}

TEST_F(Unpack, RefusesHardLinksThatLeaveTheRoot) {
  EXPECT_FALSE(refusal(TarBuilder().hard_link("a", "../outside")).empty());
  EXPECT_FALSE(refusal(TarBuilder().hard_link("b", outside().string())).empty());
  EXPECT_FALSE(
      refusal(
          TarBuilder().symbolic_link("up", directory_.path().string()).hard_link("c", "up/outside"))
          .empty());
  EXPECT_EQ(status(outside()).st_nlink, 1U);
}

TEST_F(Unpack, LinksALinkItselfAndNotItsTarget) {
  unpack(TarBuilder().symbolic_link("link", outside().string()).hard_link("same", "link"));
  EXPECT_TRUE(fs::is_symlink(root() / "same"));
  EXPECT_EQ(status(outside()).st_nlink, 1U);
}

TEST_F(Unpack, ALaterEntryReplacesAnEarlierOneOfAnyKind) {
  unpack(TarBuilder()
             .file("a", "file")
             .directory("a")
             .file("a/below", "x")
             .directory("b")
             .file("b/below", "x")
             .file("b", "file"));
  EXPECT_TRUE(fs::is_directory(root() / "a"));
  EXPECT_EQ(base::read_file(root() / "a/below"), "x");
  EXPECT_EQ(base::read_file(root() / "b"), "file");
}

TEST_F(Unpack, KeepsDirectoriesThatAFileIsToReplaceWhereToldTo) {
  const UnpackOptions options{.tree = {.directories = TreeRules::Directories::kept}};
  fs::create_directories(root() / "a/below");
  for (const auto& tar : {TarBuilder().file("a", "file"), TarBuilder().symbolic_link("a", "/"),
                          TarBuilder().fifo("a"), TarBuilder().file("b", "").hard_link("a", "b")}) {
    EXPECT_NE(refusal(tar, options).find("cannot overwrite the directory a"), std::string::npos);
  }
  EXPECT_TRUE(fs::exists(root() / "a/below"));
  unpack(TarBuilder().directory("a").file("a/file", "new").file("a/file", "newer"), options);
  EXPECT_EQ(base::read_file(root() / "a/file"), "newer");
}

// Replaces `name` by a link to `target`, again and again.
std::jthread keep_linking(const fs::path& name, const fs::path& target) {
  return std::jthread([name, target](const std::stop_token& stop) {
    const auto draft = name.string() + ".link";
    while (!stop.stop_requested()) {
      if (::symlink(target.c_str(), draft.c_str()) == 0) ::rename(draft.c_str(), name.c_str());
    }
  });
}

TEST_F(Unpack, SetsNoModeOfWhatALinkPutThereMeanwhileLeadsTo) {
  fs::permissions(outside(), fs::perms(0600));
  TarBuilder tar;
  for (int i = 0; i < 2000; ++i) tar.fifo("pipe", 0777);
  const auto linking = keep_linking(root() / "pipe", outside());
  for (int round = 0; round < 20; ++round) {
    try {
      unpack(tar);
    } catch (const base::Error&) {  // it may well find what it did not make
    }
    ASSERT_EQ(status(outside()).st_mode, S_IFREG | 0600U) << "in round " << round;
  }
}

TEST_F(Unpack, MakesDevicesForRootOnly) {
  const auto tar = TarBuilder().character_device("null", 1, 3);
  if (::geteuid() != 0) {
    EXPECT_NE(refusal(tar).find("only root"), std::string::npos);
    return;
  }
  unpack(tar);
  EXPECT_EQ(status(root() / "null").st_rdev, makedev(1, 3));
}

TEST_F(Unpack, TurnsWhiteoutsIntoOverlayMarks) {
  if (::geteuid() != 0) GTEST_SKIP() << "trusted attributes need root";
  unpack(TarBuilder().file("gone/.wh.file", "").file("fresh/.wh..wh..opq", "").directory("fresh"));
  EXPECT_TRUE(S_ISCHR(status(root() / "gone/file").st_mode));
  EXPECT_EQ(status(root() / "gone/file").st_rdev, makedev(0, 0));
  std::array<char, 8> value{};
  EXPECT_EQ(
      ::lgetxattr((root() / "fresh").c_str(), "trusted.overlay.opaque", value.data(), value.size()),
      1);
  EXPECT_EQ(value[0], 'y');
}

TEST_F(Unpack, DropsWhiteoutsWhereNothingIsUnderneath) {
  unpack(TarBuilder().file("kept", "x").file(".wh.file", "").file(".wh..wh..opq", ""),
         {.whiteouts = UnpackOptions::Whiteouts::drop});
  EXPECT_EQ(std::distance(fs::directory_iterator(root()), fs::directory_iterator()), 1);
}

TEST_F(Unpack, RefusesWhiteoutsThatNameAParent) {
  EXPECT_FALSE(refusal(TarBuilder().file("a/.wh...", "")).empty());
}

TEST_F(Unpack, StopsAtTheBoundsBeforeTheDiskIsFull) {
  UnpackOptions bounds;
  bounds.max_bytes = 1000;
  EXPECT_NE(refusal(TarBuilder().file("a", std::string(600, 'x')).file("b", std::string(600, 'x')),
                    bounds)
                .find("unpacks to more than"),
            std::string::npos);
  EXPECT_FALSE(fs::exists(root() / "b"));
  EXPECT_NE(refusal(TarBuilder().claim("huge", 1ULL << 32U), bounds).find("more than"),
            std::string::npos);
  bounds.max_entries = 2;
  EXPECT_NE(refusal(TarBuilder().directory("x").directory("y").directory("z"), bounds)
                .find("more than 2 entries"),
            std::string::npos);
}

TEST_F(Unpack, WritesNothingBeyondTheLengthThatAFileIsSaidToHave) {
  // GNU tar's sparse format 1.0: the map begins the data, in a block of its own.
  const auto sparse = [](std::string_view length, std::string_view map) {
    auto data = std::string(map);
    data.resize(512);
    return TarBuilder()
        .pax({{"GNU.sparse.major", "1"},
              {"GNU.sparse.minor", "0"},
              {"GNU.sparse.name", "sparse"},
              {"GNU.sparse.realsize", length}})
        .file("x", data + "hello");
  };
  unpack(sparse("1005", "1\n1000\n5\n"));
  EXPECT_EQ(base::read_file(root() / "sparse"), std::string(1000, '\0') + "hello");
  for (const auto* length : {"0", "1004"}) {
    EXPECT_NE(refusal(sparse(length, "1\n1000\n5\n")).find("longer than the archive says"),
              std::string::npos)
        << length;
    EXPECT_EQ(fs::file_size(root() / "sparse"), 0U);
  }
}

TEST_F(Unpack, BoundsWhatIsKeptInMemory) {
  const auto with = [](std::size_t size) {
    const std::string value(size, 'x');
    return TarBuilder().pax({{"SCHILY.xattr.user.test", value}}).directory("a");
  };
  EXPECT_NE(refusal(with(65537)).find("user.test is longer than"), std::string::npos);
  UnpackOptions bounds;
  bounds.max_attribute_bytes = 1000;
  unpack(with(900), bounds);
  EXPECT_NE(refusal(with(1000), bounds).find("names and attributes"), std::string::npos);
  bounds.max_attribute_bytes = 50;
  EXPECT_NE(
      refusal(TarBuilder().directory(std::string(90, 'b')), bounds).find("names and attributes"),
      std::string::npos);
}

TEST_F(Unpack, RefusesATruncatedArchive) {
  EXPECT_FALSE(refusal(TarBuilder().claim("short", 100'000)).empty());
}

TEST_F(Unpack, PassesTheSourcesFailureOn) {
  EXPECT_THROW(
      unpack_tar([]() -> std::span<const std::byte> { throw std::runtime_error("source"); },
                 root()),
      std::runtime_error);
}

}  // namespace
}  // namespace twinbox::image
