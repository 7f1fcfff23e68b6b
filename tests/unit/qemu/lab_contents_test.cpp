#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "base/command.hpp"
#include "base/error.hpp"
#include "base/file.hpp"
#include "qemu/lab/contents.hpp"
#include "qemu/lab/elf_libraries.hpp"
#include "qemu/lab/host_files.hpp"
#include "qemu/lab/image.hpp"

namespace twinbox::qemu {
namespace {

namespace fs = std::filesystem;

LabContents some_contents() {
  LabContents contents;
  contents.add_text("/etc/deep/file", "text\n", 0600);
  contents.add_link("/etc/link", "deep/file");
  contents.add_directory("/tmp", 01777);
  return contents;
}

TEST(LabContents, BringParentsAndKeepModes) {
  const auto contents = some_contents();
  ASSERT_TRUE(contents.has("/etc/deep"));
  EXPECT_EQ(contents.entries().at("/etc/deep").mode, static_cast<mode_t>(S_IFDIR | 0755));
  EXPECT_EQ(contents.entries().at("/etc/deep/file").mode, static_cast<mode_t>(S_IFREG | 0600));
  EXPECT_EQ(contents.entries().at("/tmp").mode, static_cast<mode_t>(S_IFDIR | 01777));
}

TEST(LabContents, PutMergedDirectoriesWhereTheyAre) {
  LabContents contents;
  contents.add_text("/lib/x86_64-linux-gnu/library.so", "");
  contents.add_text("/usr/sbin/program", "");
  EXPECT_TRUE(contents.entries().contains("/usr/lib/x86_64-linux-gnu/library.so"));
  EXPECT_TRUE(contents.entries().contains("/usr/bin/program"));
  EXPECT_TRUE(contents.has("/lib/x86_64-linux-gnu/library.so"));
}

TEST(LabContents, DigestFollowsContentAndNotTime) {
  const base::TemporaryDirectory directory;
  const auto file = directory.path() / "file";
  const auto digest = [&] {
    LabContents contents;
    contents.add_file(file, "/file");
    return contents.digest();
  };
  base::write_file(file, "one");
  const auto first = digest();
  fs::last_write_time(file, fs::file_time_type::min());
  EXPECT_EQ(digest(), first);
  base::write_file(file, "two");
  EXPECT_NE(digest(), first);
}

TEST(LabContents, DigestTellsAFileFromALink) {
  LabContents file;
  file.add_text("/name", "target");
  LabContents link;
  link.add_link("/name", "target");
  EXPECT_NE(file.digest(), link.digest());
}

TEST(LabContents, TakeATreeWithItsLinks) {
  const base::TemporaryDirectory directory;
  base::make_directories(directory.path() / "tree/sub");
  base::write_file(directory.path() / "tree/sub/file", "content");
  fs::create_symlink("sub/file", directory.path() / "tree/link");
  LabContents contents;
  contents.add_tree(directory.path() / "tree", "/copy");
  EXPECT_EQ(contents.entries().at("/copy/sub/file").size, 7U);
  EXPECT_EQ(contents.entries().at("/copy/link").text, "sub/file");
}

TEST(LabExtras, ComeUnderTheirOwnPathOrAnother) {
  const base::TemporaryDirectory directory;
  const auto tree = directory.path() / "tree";
  const auto odd = directory.path() / "odd:";
  base::make_directories(tree);
  base::make_directories(odd);
  base::write_file(tree / "file", "content");
  base::write_file(odd / "file", "content");
  LabContents contents;
  add_extra(contents, (tree / "file").string());
  add_extra(contents, (tree / "file").string() + ":/one/name");
  add_extra(contents, tree.string() + ":/other");
  add_extra(contents, (odd / "file").string());  // has ":/" within
  for (const auto& target :
       {tree / "file", fs::path("/one/name"), fs::path("/other/file"), odd / "file"}) {
    ASSERT_TRUE(contents.has(target)) << target;
    EXPECT_EQ(contents.entries().at(target.string()).size, 7U) << target;
  }
}

TEST(LabExtras, AreWhatALinkLeadsTo) {
  const base::TemporaryDirectory directory;
  const auto link = directory.path() / "link";
  base::make_directories(directory.path() / "tree/sub");
  base::write_file(directory.path() / "tree/sub/file", "content");
  fs::create_directory_symlink("tree", link);
  LabContents contents;
  add_extra(contents, link.string());
  add_extra(contents, link.string() + ":/other");
  for (const auto& target : {link, fs::path("/other")}) {
    EXPECT_TRUE(S_ISDIR(contents.entries().at(target.string()).mode)) << target;
    EXPECT_TRUE(contents.has(target / "sub/file")) << target;
  }
}

TEST(LabExtras, AreNamedWhereTheyAreMissing) {
  for (const auto* extra : {"/nowhere/file", "/nowhere/file:/target"}) {
    LabContents contents;
    try {
      add_extra(contents, extra);
      FAIL() << extra;
    } catch (const base::Error& error) {
      EXPECT_EQ(error.kind(), base::ErrorKind::not_found);
      EXPECT_EQ(error.message(), "/nowhere/file is not there");
    }
  }
}

TEST(LabImage, HoldsWhatItWasGivenAndIsTheSameEveryTime) {
  const base::TemporaryDirectory first;
  const base::TemporaryDirectory second;
  const auto image = lab_image(some_contents(), first.path());
  EXPECT_EQ(base::read_file(image.path),
            base::read_file(lab_image(some_contents(), second.path()).path));
  const auto listing =
      base::run_command({"sh", "-c", "busybox cpio -t <\"$0\" 2>/dev/null", image.path.string()});
  EXPECT_EQ(listing.out, "etc\netc/deep\netc/deep/file\netc/link\ntmp\n");
}

TEST(LabImage, KeepsAFewAndRemovesTheRest) {
  const base::TemporaryDirectory cache;
  for (int number = 0; number < 12; ++number) {
    LabContents contents;
    contents.add_text("/number", std::to_string(number));
    const auto image = lab_image(contents, cache.path());
    EXPECT_TRUE(fs::exists(image.path));
  }
  const auto images =
      std::count_if(fs::directory_iterator(cache.path()), fs::directory_iterator(),
                    [](const auto& file) { return file.path().extension() == ".cpio"; });
  EXPECT_LE(images, 4);
}

TEST(LabImage, RemovesWhatAKilledRunLeft) {
  const base::TemporaryDirectory cache;
  base::write_file(cache.path() / "0123.cpio.draft", "half");
  clean_up_lab_images(cache.path());
  EXPECT_FALSE(fs::exists(cache.path() / "0123.cpio.draft"));
}

TEST(LabImage, NamesAFullDisk) {
  LabContents contents;
  contents.add_text("/large", std::string(4 << 20, 'x'));
  const base::TemporaryDirectory directory;
  const auto mounted = base::run_command(
      {"mount", "-t", "tmpfs", "-o", "size=1m", "small", directory.path().string()});
  if (mounted.status != 0) GTEST_SKIP() << "mounting takes root privileges";
  try {
    lab_image(contents, directory.path());
    ADD_FAILURE() << "4 MiB fit into 1 MiB";
  } catch (const base::Error& error) {
    EXPECT_NE(error.message().find("No space left"), std::string::npos) << error.message();
    EXPECT_NE(error.hint().find("full"), std::string::npos) << error.hint();
  }
  EXPECT_EQ(base::run_command({"umount", directory.path().string()}).status, 0);
}

TEST(SharedLibraries, OfADynamicProgramIncludeTheLoaderAndTheLibraryC) {
  const auto libraries = shared_libraries(fs::read_symlink("/proc/self/exe"));
  const auto names_one = [&](std::string_view part) {
    return std::ranges::any_of(libraries, [&](const fs::path& path) {
      return path.filename().string().find(part) != std::string::npos && fs::exists(path);
    });
  };
  EXPECT_TRUE(names_one("ld-linux"));
  EXPECT_TRUE(names_one("libc.so"));
}

TEST(SharedLibraries, OfAStaticProgramOrATextAreNone) {
  EXPECT_TRUE(shared_libraries("/usr/bin/busybox").empty());
  EXPECT_TRUE(shared_libraries("/etc/passwd").empty());
}

}  // namespace
}  // namespace twinbox::qemu
