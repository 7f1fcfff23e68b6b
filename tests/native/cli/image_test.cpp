// `twinbox image` and `twinbox doctor` as a user sees them.

#include <unistd.h>

#include <csignal>
#include <filesystem>

#include "base/command.hpp"
#include "base/syscall.hpp"
#include "image/import_marks.hpp"
#include "tests/native/cli/cli_fixture.hpp"

namespace twinbox::testing {
namespace {

class ImageVerb : public CliFixture {};

TEST_F(ImageVerb, ListsImportsRunsAndRemoves) {
  const auto imported = twinbox({"image", "import", "tools/shell:1", image_source()});
  EXPECT_EQ(imported.status, 0) << imported.err;
  EXPECT_TRUE(imported.out.starts_with("tools/shell:1 ")) << imported.out;
  const auto listed = twinbox({"image", "ls"}).out;
  EXPECT_TRUE(listed.starts_with("NAME ")) << listed;
  for (const auto* const part : {"ID", "CREATED", "SIZE", "busybox", "tools/shell:1", "MiB"}) {
    EXPECT_NE(listed.find(part), std::string::npos) << part << " in\n" << listed;
  }
  EXPECT_EQ(twinbox({"run", "--rm", "tools/shell:1", "echo", "hi"}).out, "hi\n");
  EXPECT_EQ(twinbox({"image", "rm", "tools/shell:1"}).status, 0);
  EXPECT_EQ(twinbox({"image", "ls"}).out.find("tools"), std::string::npos);
  EXPECT_EQ(twinbox({"run", "--rm", "busybox", "echo", "still"}).out, "still\n");
}

// The lab's lock files are root's, who used it first.
TEST_F(ImageVerb, ListsForAnotherUserThanWhoHasUsedTheLab) {
  if (::geteuid() != 0) GTEST_SKIP() << "takes two users";
  constexpr auto anyone = std::filesystem::perms(0755);
  std::filesystem::create_directories(root() / "lab");
  const auto lock = root() / "lab/start.lock";
  base::write_file(lock, "");
  std::filesystem::permissions(lock, std::filesystem::perms(0600));
  const auto program = scratch() / "twinbox";
  std::filesystem::copy_file(TWINBOX_PROGRAM, program);
  for (const auto& path : {scratch(), root(), program}) std::filesystem::permissions(path, anyone);
  const auto listed =
      base::run_command({"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "env",
                         "TWINBOX_ROOT=" + root().string(), program.string(), "image", "ls"});
  EXPECT_EQ(listed.status, 0) << listed.err;
  EXPECT_NE(listed.out.find("busybox"), std::string::npos) << listed.out << listed.err;
}

TEST_F(ImageVerb, ImportsATar) {
  const auto tar = (scratch() / "root.tar.gz").string();
  const auto packed = base::run_command({"tar", "-C", image_source().string(), "-czf", tar, "."});
  ASSERT_EQ(packed.status, 0) << packed.err;
  EXPECT_EQ(twinbox({"image", "import", "packed", tar}).status, 0);
  EXPECT_EQ(twinbox({"run", "--rm", "packed", "echo", "hi"}).out, "hi\n");
}

TEST_F(ImageVerb, TellsTheMomentsOfAnImport) {
  base::write_file(image_source() / "news", "a layer that is not there yet");
  const auto file = (scratch() / "marks.json").string();
  const auto before = base::monotonic_now();
  const auto made = twinbox({"image", "import", "--marks", file, "timed", image_source()});
  const auto after = base::monotonic_now();
  ASSERT_EQ(made.status, 0) << made.err;
  const auto marks = image::ImportMarks::from_json(base::read_file(file), file);
  ASSERT_TRUE(marks.unpacked && marks.converted);
  EXPECT_GT(marks.stored, before);
  EXPECT_GT(*marks.unpacked, marks.stored);
  EXPECT_GT(*marks.converted, *marks.unpacked);
  EXPECT_GT(after, *marks.converted);

  // Nothing is unpacked a second time.
  ASSERT_EQ(twinbox({"image", "import", "--marks", file, "again", image_source()}).status, 0);
  const auto again = image::ImportMarks::from_json(base::read_file(file), file);
  EXPECT_GT(again.stored, after);
  EXPECT_FALSE(again.unpacked || again.converted);
}

TEST_F(ImageVerb, HasMarksOfAnImportOnly) {
  const auto refused = twinbox({"image", "ls", "--marks", (scratch() / "marks.json").string()});
  EXPECT_EQ(refused.status, 125);
  EXPECT_NE(refused.err.find("image ls has no marks"), std::string::npos) << refused.err;
}

TEST_F(ImageVerb, KeepsAnImageThatABoxUses) {
  auto box = start({"run", "--rm", "--die-with-parent", "busybox", "sh", "-c",
                    "echo ready; while :; do sleep 0.01; done"});
  box.wait_for_output("ready");
  const auto refused = twinbox({"image", "rm", "busybox"});
  EXPECT_EQ(refused.status, 125);
  EXPECT_NE(refused.err.find("is using the image"), std::string::npos) << refused.err;
  box.signal(SIGKILL);
  box.reap();
  sweep_until_no_box_is_left();
  EXPECT_EQ(twinbox({"image", "rm", "busybox"}).status, 0);
}

class Doctor : public CliFixture {};

TEST_F(Doctor, SaysWhatWorksAndHowToMendTheRest) {
  const auto result = twinbox({"doctor"});
  EXPECT_EQ(result.status, 0) << result.out << result.err;
  for (const auto* const part : {"ok    run --as container", "run --as vm", "control groups",
                                 "seccomp", "images", "busybox", "disk space", "guest kernel"}) {
    EXPECT_NE(result.out.find(part), std::string::npos) << part << " in\n" << result.out;
  }
}

class Overview : public CliFixture {};

TEST_F(Overview, TellsItsVersionAndHelp) {
  EXPECT_TRUE(twinbox({"--version"}).out.starts_with("twinbox "));
  const auto help = twinbox({"help"});
  EXPECT_EQ(help.status, 0);
  for (const auto* const verb : {"run", "image", "boot", "lab", "compare", "doctor"}) {
    EXPECT_NE(help.out.find(std::string("\n  ") + verb + " "), std::string::npos) << verb;
    EXPECT_EQ(twinbox({"help", verb}).status, 0) << verb;
    EXPECT_NE(twinbox({"help", verb}).out.find(std::string("twinbox ") + verb), std::string::npos);
  }
}

}  // namespace
}  // namespace twinbox::testing
