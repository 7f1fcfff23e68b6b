// A store on a disk that is full, or that cannot be written.
#include <sys/mount.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <chrono>
#include <random>
#include <thread>

#include "base/error.hpp"
#include "tests/native/cli/cli_fixture.hpp"

namespace twinbox::testing {
namespace {

namespace fs = std::filesystem;

class Disk : public CliFixture {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "mounting needs root";
    enter_own_mount_namespace();
    fs::create_directories(root());
    ASSERT_EQ(::mount("store", root().c_str(), "tmpfs", 0, "size=16m"), 0);
    CliFixture::SetUp();
    const auto script = "n=0; while :; do echo line $n; n=$((n + 1)); sleep 0.02; done";
    ASSERT_EQ(twinbox({"run", "-d", "--name", "serves", "busybox", "sh", "-c", script}).status, 0);
    ASSERT_EQ(twinbox({"create", "--name", "made", "busybox", "true"}).status, 0);
  }
  void TearDown() override {
    if (IsSkipped()) return;
    if (read_only_) ::umount2(root().c_str(), MNT_DETACH);
    fs::remove(fill());
    CliFixture::TearDown();
    ::umount2(root().c_str(), MNT_DETACH);
  }

  fs::path fill() const { return root() / "fill"; }
  void fill_disk() const {
    do {
      base::write_file(fill(), "");
      try {
        base::write_file(fill(), std::string(32U << 20, 'x'));
      } catch (const base::Error&) {  // as it is to be
      }
    } while (room() != 0);
  }
  fsblkcnt_t room() const {
    struct statvfs info {};
    ::statvfs(root().c_str(), &info);
    return info.f_bavail;
  }
  // A box that takes all the room that there is, and then sleeps. Its id.
  std::string start_filling(const std::string& name) const {
    auto id = twinbox({"run", "-d", "--name", name, "busybox", "sh", "-c",
                       "cat /dev/zero >/fill; exec sleep 1000"})
                  .out;
    EXPECT_TRUE(id.ends_with('\n')) << "it has not started";
    for (int i = 0; i < 3000 && room() != 0; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    EXPECT_EQ(room(), 0U);
    return id.substr(0, id.find('\n'));
  }
  std::string state(const std::string& name) const {
    return twinbox({"inspect", "--format", "{{.State.Status}} {{.State.ExitCode}}", name}).out;
  }
  // For new commands and for what goes on running.
  void make_read_only() {
    ASSERT_EQ(::mount(root().c_str(), root().c_str(), nullptr, MS_BIND, nullptr), 0);
    read_only_ = true;
    ASSERT_EQ(::mount(nullptr, root().c_str(), nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr),
              0);
  }

  // Fails with the status that is documented for it, and names the path.
  void expect_refusal(const Words& args, int status) const {
    const auto result = twinbox(args);
    EXPECT_EQ(result.status, status) << args.front() << ": " << result.err;
    EXPECT_NE(result.err.find(root()), std::string::npos) << args.front() << ": " << result.err;
  }
  void expect_it_serves() const {
    EXPECT_EQ(twinbox({"exec", "serves", "echo", "still"}).out, "still\n");
    EXPECT_EQ(twinbox({"inspect", "--format", "{{.State.Status}}", "serves"}).out, "running\n");
  }
  std::string last_line() const { return twinbox({"logs", "--tail", "1", "serves"}).out; }

 private:
  bool read_only_ = false;
};

TEST_F(Disk, ThatIsFullIsNamedAndEndsNoBox) {
  fill_disk();
  expect_refusal({"create", "busybox", "true"}, 125);
  expect_refusal({"run", "busybox", "true"}, 125);
  expect_refusal({"run", "-d", "busybox", "true"}, 125);
  expect_refusal({"start", "made"}, 1);
  expect_refusal({"rename", "made", "other"}, 1);
  expect_refusal({"cp", "serves:/bin/busybox", root() / "copy"}, 1);
  // One that nobody could unpause is not paused.
  expect_refusal({"pause", "serves"}, 1);
  expect_it_serves();
  EXPECT_EQ(names_in(root() / "boxes").size(), 2U) << "a box that was refused is left";

  const auto before = last_line();
  fs::remove(root() / "copy");
  fs::remove(fill());
  for (int i = 0; i < 1000 && last_line() == before; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_NE(last_line(), before) << "its log has not gone on";
  expect_it_serves();
  EXPECT_EQ(twinbox({"run", "--rm", "busybox", "true"}).status, 0);
  EXPECT_EQ(twinbox({"rm", "-f", "serves", "made"}).status, 0);
  EXPECT_EQ(names_in(root() / "boxes"), Words{});
}

// Its record says how it ended, and it can be removed, whose files take all the room there is.
TEST_F(Disk, ThatABoxHasFilledIsEmptiedWithIt) {
  start_filling("stopped");
  EXPECT_EQ(twinbox({"exec", "stopped", "echo", "still"}).out, "still\n");
  EXPECT_EQ(twinbox({"stop", "-t", "0", "stopped"}).status, 0);
  EXPECT_EQ(state("stopped"), "exited 137\n");
  expect_refusal({"start", "stopped"}, 1);
  EXPECT_EQ(twinbox({"rm", "stopped"}).status, 0);

  start_filling("removed");
  EXPECT_EQ(twinbox({"rm", "-f", "removed"}).status, 0);

  kill_supervisor_of(start_filling("orphan"));
  EXPECT_EQ(state("orphan"), "exited 137\n");
  EXPECT_EQ(twinbox({"rm", "orphan"}).status, 0);
  expect_it_serves();
}

TEST_F(Disk, ThatIsFullTakesNoImageAndKeepsNothingOfIt) {
  const auto before = names_in(root() / "images/blobs/sha256");
  fs::create_directories(scratch() / "large");
  std::string block(1U << 20, ' ');
  std::ranges::generate(
      block, [random = std::mt19937(1)]() mutable { return static_cast<char>(random()); });
  for (const char name : std::string_view("abcdefghijklmn")) {
    base::write_file(scratch() / "large" / std::string(1, name), block);
  }
  const Words import{"image", "import", "large", scratch() / "large"};
  expect_refusal(import, 125);
  EXPECT_NE(twinbox(import).err.find("hint: make room"), std::string::npos);
  EXPECT_EQ(names_in(root() / "images/blobs/sha256"), before);
  fill_disk();  // and then no room for the blob
  expect_refusal(import, 125);
  EXPECT_NE(twinbox(import).err.find("hint: make room"), std::string::npos);
  EXPECT_EQ(names_in(root() / "images/blobs/sha256"), before);
  fs::remove(fill());
  EXPECT_EQ(twinbox({"run", "--rm", "busybox", "echo", "still"}).out, "still\n");
}

TEST_F(Disk, ThatIsReadOnlyIsNamedAndEndsNoBox) {
  make_read_only();
  expect_refusal({"create", "busybox", "true"}, 125);
  expect_refusal({"run", "--rm", "busybox", "true"}, 125);
  expect_refusal({"start", "made"}, 1);
  expect_refusal({"rm", "made"}, 1);
  expect_refusal({"rename", "made", "other"}, 1);
  expect_it_serves();
  EXPECT_EQ(twinbox({"ps", "-aq"}).status, 0);
}

}  // namespace
}  // namespace twinbox::testing
