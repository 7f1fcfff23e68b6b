// The pieces of `cp` and `top` that take what a box sends.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <set>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/syscall.hpp"
#include "cli/bounded_answer.hpp"
#include "cli/box_files.hpp"
#include "cli/copy_stream.hpp"
#include "cli/top_columns.hpp"
#include "image/archive.hpp"
#include "tests/unit/image/archive_builder.hpp"

namespace twinbox::cli {
namespace {

TEST(NameInBox, IsOneComponentOfWhatTheUserGave) {
  EXPECT_EQ(name_in_box("/etc/passwd"), "passwd");
  EXPECT_EQ(name_in_box("/tmp/"), "tmp");
  EXPECT_EQ(name_in_box("/tmp/."), "tmp");
  EXPECT_EQ(name_in_box("/srv/www/.."), "srv");
  for (const auto* root : {"/", "/.", "/..", "/tmp/..", "/../.."}) {
    EXPECT_EQ(name_in_box(root), ".") << root;
  }
}

TEST(BoundedAnswer, HoldsWhatIsWrittenUpToItsBound) {
  const BoundedAnswer answer(5000);
  base::write_all(answer.fd(), "one ");
  base::write_all(answer.fd(), "two");
  EXPECT_EQ(answer.text(), "one two");
  EXPECT_THROW(base::write_all(answer.fd(), std::string(10000, 'x')), base::Error);
  EXPECT_LE(answer.text().size(), 5000U);
}

// Names and hard links' targets, as they are after the change.
std::set<std::string> names_after(const image::TarBuilder& tar, const TarChange& change) {
  const base::TemporaryDirectory directory;
  tar.save(directory.path() / "in");
  const auto in = base::open_file(directory.path() / "in", O_RDONLY);
  const auto out = base::open_file(directory.path() / "out", O_RDWR | O_CREAT);
  change_tar(in.get(), out.get(), change);
  ::lseek(out.get(), 0, SEEK_SET);
  const image::ArchiveHandle reader(::archive_read_new());
  ::archive_read_support_format_tar(reader.get());
  image::check_archive(reader.get(), ::archive_read_open_fd(reader.get(), out.get(), 512), "read");
  std::set<std::string> names;
  archive_entry* entry = nullptr;
  while (::archive_read_next_header(reader.get(), &entry) == ARCHIVE_OK) {
    names.insert(::archive_entry_pathname(entry));
    if (const char* target = ::archive_entry_hardlink(entry)) names.insert(target);
  }
  return names;
}

TEST(ChangeTar, PutsAllBelowTheOneName) {
  const auto tar = image::TarBuilder()
                       .directory("x/")
                       .file("x/file", "1")
                       .file("other/file", "2")
                       .file("/etc/passwd", "3")
                       .hard_link("x/link", "/etc/shadow")
                       .file("alone", "4");
  EXPECT_EQ(names_after(tar, {.name = "name"}),
            (std::set<std::string>{"name", "name/", "name/file", "name/etc/passwd", "name/link",
                                   "name/etc/shadow"}));
}

TEST(ChangeTar, KeepsTheDirectoriesOfARoot) {
  const auto tar = image::TarBuilder().directory("./").directory("./etc").file("./etc/file", "1");
  EXPECT_EQ(names_after(tar, {.name = "name"}),
            (std::set<std::string>{"name/", "name/etc/", "name/etc/file"}));
}

TEST(TopColumns, SendNoControlCharactersToTheTerminal) {
  sandbox::ProcessEntry process;
  process.terminal = process.name = process.command = "a\x1b[2J\nb";
  process.state = '\t';
  for (const auto& column : process_columns({"-o", "tty,comm,cmd"})) {
    EXPECT_EQ(column.text(process, {}), "a\\x1b[2J\\nb");
  }
  EXPECT_EQ(process_columns({"-o", "s"}).front().text(process, {}), "\\t");
}

}  // namespace
}  // namespace twinbox::cli
