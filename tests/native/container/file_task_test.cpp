// What boxes do with their own files for others: describe, pack, unpack.

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <csignal>
#include <thread>
#include <utility>

#include "base/file.hpp"
#include "base/syscall.hpp"
#include "container/engine.hpp"
#include "image/tar_writer.hpp"
#include "image/unpack.hpp"
#include "tests/native/container/box_fixture.hpp"

namespace twinbox::testing {
namespace {

namespace fs = std::filesystem;

using Kind = sandbox::FileTask::Kind;
using ::testing::HasSubstr;

std::string tar_of(const fs::path& directory) {
  std::string tar;
  image::write_tar(directory, [&](std::span<const std::byte> bytes) {
    tar.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  });
  return tar;
}

void unpack(const std::string& tar, const fs::path& directory) {
  bool given = false;
  image::unpack_tar(
      [&]() -> std::span<const std::byte> {
        if (std::exchange(given, true)) return {};
        return std::as_bytes(std::span(tar));
      },
      directory);
}

class FileTasks : public BoxFixture {
 protected:
  void SetUp() override {
    BoxFixture::SetUp();
    if (IsSkipped()) return;
    ::signal(SIGPIPE, SIG_IGN);
    outside_ = scratch() / "outside";
    fs::create_directories(outside_);
    base::write_file(outside_ / "secret", "of the host\n");
    engine_ = make_engine();
  }

  void start(const std::string& script) {
    running_.emplace(*engine_, request(script + "; echo up; sleep 1000"));
    running_->wait_for_output("up\n");
  }

  struct Exit {
    sandbox::Outcome outcome;
    std::string out;
  };

  Exit run_task(Kind kind, const std::string& path, const std::string& input = {}) {
    auto [in_read, in_write] = base::make_pipe();
    auto [out_read, out_write] = base::make_pipe();
    const sandbox::Stdio stdio{in_read.get(), out_write.get(), out_write.get()};
    std::optional<sandbox::Outcome> outcome;
    const auto process =
        running_->box().exec({.process = {},
                              .task = sandbox::FileTask{.kind = kind, .path = path},
                              .stdio = stdio,
                              .on_executed = {},
                              .on_exit = [&](const sandbox::Outcome& ended) { outcome = ended; }});
    in_read.reset();
    out_write.reset();
    const auto feeder = feed(in_write, input);
    std::string out;
    std::jthread reader([&, fd = out_read.get()] { out = base::read_to_end(fd); });
    running_->run_until([&] { return outcome.has_value(); });
    reader.join();
    return {*outcome, out};
  }

  static std::jthread feed(base::Fd& to, const std::string& text) {
    return std::jthread([fd = std::move(to), text] {
      try {
        base::write_all(fd.get(), text);
      } catch (const base::Error&) {  // a task that fails does not read it
      }
    });
  }

  fs::path unpacked(const std::string& tar) {
    const auto directory = scratch() / "unpacked";
    fs::remove_all(directory);
    fs::create_directories(directory);
    unpack(tar, directory);
    return directory;
  }

  fs::path outside_;
  std::unique_ptr<sandbox::Engine> engine_;
  std::optional<RunningBox> running_;
};

TEST_F(FileTasks, DescribeFiles) {
  start("echo hello > /tmp/file; chmod 4751 /tmp/file; ln -s ../etc/passwd /tmp/link");

  const auto file = run_task(Kind::describe, "/tmp/file");
  ASSERT_EQ(file.outcome.status, 0);
  const auto info = sandbox::path_info_from_json(file.out, "test");
  EXPECT_EQ(info.size, 6U);
  EXPECT_EQ(info.mode, S_IFREG | 04751U);
  EXPECT_GT(info.modified, 1'600'000'000);
  const auto link = sandbox::path_info_from_json(run_task(Kind::describe, "/tmp/link").out, "test");
  EXPECT_TRUE(S_ISLNK(link.mode));
  EXPECT_EQ(link.link_target, "../etc/passwd");
  for (const auto* path : {"/", "/tmp/", "/tmp/."}) {
    const auto directory = sandbox::path_info_from_json(run_task(Kind::describe, path).out, "test");
    EXPECT_TRUE(S_ISDIR(directory.mode)) << path;
  }
}

TEST_F(FileTasks, TellWhatIsMissing) {
  start("true");
  for (const auto kind : {Kind::describe, Kind::pack}) {
    const auto missing = run_task(kind, "/no/such");
    EXPECT_EQ(missing.outcome.status, 1);
    ASSERT_TRUE(missing.outcome.error);
    EXPECT_EQ(missing.outcome.error->kind(), base::ErrorKind::not_found);
    EXPECT_THAT(missing.outcome.error->message(), HasSubstr("/no"));
  }
  EXPECT_EQ(run_task(Kind::unpack, "/no/such", tar_of(outside_)).outcome.status, 1);
}

TEST_F(FileTasks, PackWithOwnersModesAndLinks) {
  start(
      "mkdir -p /tmp/tree/sub; seq 100000 > /tmp/tree/sub/numbers; echo x > /tmp/tree/Größe;"
      "ln -s /nowhere /tmp/tree/link; chroot / chmod 640 /tmp/tree/sub/numbers");

  const auto packed = run_task(Kind::pack, "/tmp/tree");

  ASSERT_EQ(packed.outcome.status, 0);
  const auto tree = unpacked(packed.out) / "tree";
  EXPECT_EQ(fs::file_size(tree / "sub/numbers"), 588895U);
  EXPECT_EQ(fs::status(tree / "sub/numbers").permissions(), fs::perms(0640));
  EXPECT_EQ(fs::read_symlink(tree / "link"), "/nowhere");
  EXPECT_EQ(base::read_file(tree / "Größe"), "x\n");
  const auto one = run_task(Kind::pack, "/tmp/tree/sub/numbers");
  EXPECT_EQ(fs::file_size(unpacked(one.out) / "numbers"), 588895U);
}

TEST_F(FileTasks, UnpackIntoADirectory) {
  start("mkdir /tmp/to; echo old > /tmp/to/file; echo kept > /tmp/to/other");
  const auto tree = scratch() / "tree";
  fs::create_directories(tree / "sub");
  base::write_file(tree / "file", "new\n");
  base::write_file(tree / "sub/.wh.x", "no mark\n");

  const auto done = run_task(Kind::unpack, "/tmp/to", tar_of(tree));

  EXPECT_EQ(done.outcome.status, 0) << (done.outcome.error ? done.outcome.error->what() : "");
  const auto result = unpacked(run_task(Kind::pack, "/tmp/to/file").out);
  EXPECT_EQ(base::read_file(result / "file"), "new\n");
  const auto described = [&](const std::string& path) {
    return run_task(Kind::describe, path).outcome.status;
  };
  EXPECT_EQ(described("/tmp/to/other"), 0);
  EXPECT_EQ(described("/tmp/to/sub/.wh.x"), 0);
}

TEST_F(FileTasks, NoLinkLeadsOutOfTheBox) {
  const auto host = outside_.string();
  const auto relative = "../../../../../.." + host;
  start("ln -s " + host + " /tmp/absolute; ln -s " + relative + " /tmp/relative");
  for (const auto* link : {"/tmp/absolute", "/tmp/relative"}) {
    EXPECT_EQ(run_task(Kind::describe, std::string(link) + "/secret").outcome.status, 1) << link;
    EXPECT_EQ(run_task(Kind::pack, std::string(link) + "/secret").outcome.status, 1) << link;
    EXPECT_EQ(run_task(Kind::unpack, link, tar_of(image() / "etc")).outcome.status, 1) << link;
  }
  EXPECT_EQ(run_task(Kind::pack, "/proc/1/root/etc/passwd").outcome.status, 1);
  EXPECT_FALSE(fs::exists(outside_ / "passwd"));
}

TEST_F(FileTasks, WorkWhileTheBoxIsPaused) {
  start("echo hello > /tmp/file");
  running_->box().pause([](const auto&) {});

  EXPECT_EQ(run_task(Kind::pack, "/tmp/file").outcome.status, 0);

  running_->box().resume([](const auto&) {});
}

TEST_F(FileTasks, WorkOnTheKeptFilesOfABoxThatDoesNotRun) {
  auto made = request("echo hello > /etc/greeting");
  made.keep_files = true;
  const sandbox::StoppedBox box{.id = made.id, .directory = made.directory, .root = made.root};
  ASSERT_EQ(run(std::move(made)).status(), 0);
  const auto tree = scratch() / "tree";
  fs::create_directories(tree);
  base::write_file(tree / "note", "from outside\n");
  auto [in_read, in_write] = base::make_pipe();
  auto [out_read, out_write] = base::make_pipe();
  const sandbox::Stdio stdio{in_read.get(), out_write.get(), out_write.get()};
  {
    const auto feeder = feed(in_write, tar_of(tree));
    engine_->run_file_task(box, {.kind = Kind::unpack, .path = "/etc"}, stdio);
  }
  engine_->run_file_task(box, {.kind = Kind::pack, .path = "/etc"}, stdio);
  out_write.reset();

  const auto result = unpacked(base::read_to_end(out_read.get())) / "etc";
  EXPECT_EQ(base::read_file(result / "greeting"), "hello\n");
  EXPECT_EQ(base::read_file(result / "note"), "from outside\n");
  EXPECT_TRUE(fs::exists(result / "passwd"));
  EXPECT_THROW(engine_->run_file_task(box, {.kind = Kind::pack, .path = "/no/such"}, stdio),
               base::Error);
  const auto changes = engine_->list_changes(box);
  ASSERT_EQ(changes.size(), 3U);
  EXPECT_EQ(changes[0].path, "/etc");
  EXPECT_EQ(changes[0].kind, sandbox::FileChange::Kind::changed);
  EXPECT_EQ(changes[1].path, "/etc/greeting");
  EXPECT_EQ(changes[2].path, "/etc/note");
  auto again = request("cat /etc/note");
  again.directory = box.directory;
  again.keep_files = true;
  EXPECT_EQ(run(std::move(again)).out, "from outside\n");
}

class ProcessFileTasks : public FileTasks {
 protected:
  std::unique_ptr<sandbox::Engine> make_engine() const override {
    return std::make_unique<container::ProcessEngine>();
  }
};

TEST_F(ProcessFileTasks, StayInItsRoot) {
  start("echo hello > /tmp/file; ln -s " + outside_.string() + " /tmp/link");

  EXPECT_EQ(base::read_file(unpacked(run_task(Kind::pack, "/tmp/file").out) / "file"), "hello\n");
  EXPECT_EQ(run_task(Kind::pack, "/tmp/link/secret").outcome.status, 1);
}

}  // namespace
}  // namespace twinbox::testing
