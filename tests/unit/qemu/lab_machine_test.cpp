#include <gtest/gtest.h>

#include <algorithm>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/size.hpp"
#include "base/syscall.hpp"
#include "qemu/lab/machine.hpp"
#include "qemu/lab/transfer.hpp"

namespace twinbox::qemu {
namespace {

LabMachineConfig some_config() {
  LabMachineConfig config;
  config.kernel = "/kernel";
  config.image = "/image";
  config.memory_bytes = base::gibibyte;
  config.ports = {{.name = "exec.0", .socket = 7}};
  config.log = 9;
  return config;
}

std::string value_of(const std::vector<std::string>& args, const std::string& flag) {
  const auto found = std::ranges::find(args, flag);
  return found == args.end() || found + 1 == args.end() ? "" : *(found + 1);
}

TEST(LabMachine, DeterministicTimeIsInstructionsOnOneProcessor) {
  auto config = some_config();
  config.timing = LabTiming::deterministic;
  const auto args = qemu_arguments(config, 11);
  EXPECT_EQ(value_of(args, "-icount"), "shift=0,sleep=off");
  EXPECT_EQ(value_of(args, "-smp"), "1");
  EXPECT_NE(value_of(args, "-rtc").find("clock=vm"), std::string::npos);
  EXPECT_NE(value_of(args, "-seed"), "");
  EXPECT_NE(value_of(args, "-append").find("norandmaps"), std::string::npos);
  EXPECT_NE(value_of(args, "-fw_cfg").find("/proc/self/fd/11"), std::string::npos);
}

TEST(LabMachine, WallClockCountsNoInstructions) {
  const auto args = qemu_arguments(some_config(), -1);
  EXPECT_EQ(std::ranges::find(args, "-icount"), args.end());
  EXPECT_EQ(std::ranges::find(args, "-fw_cfg"), args.end());
  EXPECT_NE(value_of(args, "-append").find("twinbox.ports=1"), std::string::npos);
}

TEST(LabMachine, MemoryGrowsWithTheImage) {
  EXPECT_EQ(default_lab_memory(100 * base::mebibyte), 2 * base::gibibyte);
  EXPECT_GT(default_lab_memory(3 * base::gibibyte), 6 * base::gibibyte);
  EXPECT_GT(least_lab_memory(100 * base::mebibyte), 200 * base::mebibyte);
}

TEST(LabMachine, RefusesMoreMemoryThanThereIs) {
  auto config = some_config();
  config.memory_bytes = 1ULL << 50;
  EXPECT_THROW(check_lab_host(config), base::Error);
}

TEST(LabMachine, TailOfALogIsPrintableAndShort) {
  const base::TemporaryDirectory directory;
  base::write_file(directory.path() / "log", std::string(10'000, 'x') + "\x1b[2J\nlast\n");
  const base::Fd log = base::open_file(directory.path() / "log", O_RDONLY);
  const auto tail = log_tail(log.get());
  EXPECT_LE(tail.size(), 2048U);
  EXPECT_TRUE(tail.ends_with("[2J\nlast")) << tail;
}

// A program in the place of QEMU, found before it.
class AnotherQemu {
 public:
  explicit AnotherQemu(const std::string& script) {
    const auto program = directory_.path() / "qemu-system-x86_64";
    base::write_file(program, "#!/bin/sh\n" + script + "\n");
    std::filesystem::permissions(program, std::filesystem::perms::owner_all);
    ::setenv("PATH", fmt::format("{}:{}", directory_.path().string(), path_).c_str(), 1);
  }
  AnotherQemu(const AnotherQemu&) = delete;
  AnotherQemu& operator=(const AnotherQemu&) = delete;
  ~AnotherQemu() { ::setenv("PATH", path_.c_str(), 1); }

  std::string program() const { return (directory_.path() / "qemu-system-x86_64").string(); }
  // What is told on stderr when it is started.
  std::string started() const {
    testing::internal::CaptureStderr();
    { const LabMachine machine(config()); }
    return testing::internal::GetCapturedStderr();
  }
  // What is in its log when it has ended.
  std::string log_at_end() const {
    LabMachine(config()).wait();
    return base::read_file(directory_.path() / "log");
  }

 private:
  LabMachineConfig config() const {
    auto config = some_config();
    config.memory_bytes = base::mebibyte;
    config.ports.clear();
    config.log = log_.get();
    return config;
  }

  base::TemporaryDirectory directory_;
  base::Fd log_ = base::open_file(directory_.path() / "log", O_RDWR | O_CREAT);
  std::string path_ = ::getenv("PATH");
};

TEST(LabMachine, WarnsOfAQemuThatItCannotMend) {
  const AnotherQemu qemu("exec sleep 60");
  const auto told = qemu.started();
  EXPECT_TRUE(told.starts_with("twinbox: warning: " + qemu.program())) << told;
  EXPECT_NE(told.find("twice"), std::string::npos) << told;
}

TEST(LabMachine, DoesNotWarnOfAQemuThatEndsAtOnce) {
  EXPECT_EQ(AnotherQemu("exit 1").started(), "");
}

TEST(LabMachine, LogsDiagnosticsAndTheConsoleOneAfterTheOther) {
  const AnotherQemu qemu("echo one; echo the console >>${0%/*}/log; echo two");
  EXPECT_EQ(qemu.log_at_end(), "one\nthe console\ntwo\n");
}

TEST(LabMachine, PassesOnItsWarningsAndNothingElseOfALog) {
  const base::TemporaryDirectory directory;
  base::write_file(directory.path() / "log",
                   "a console\ntwinbox: warning: mind this\ntwinbox: error: not this\nlast");
  testing::internal::CaptureStderr();
  pass_on_warnings(directory.path() / "log");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "twinbox: warning: mind this\n");
}

TEST(Transfer, RefusesAnArchiveThatLeavesItsDirectory) {
  const base::TemporaryDirectory directory;
  const auto work = directory.path();
  base::make_directories(work / "a/b");
  base::write_file(work / "outside", "x");
  // A tar with "../../outside" in it, made by a tar that does not mind.
  ASSERT_EQ(std::system(fmt::format("cd {}/a/b && tar -P -cf {}/evil.tar ../../outside",
                                    work.string(), work.string())
                            .c_str()),
            0);
  const base::Fd archive = base::open_file(work / "evil.tar", O_RDONLY);
  base::write_file(work / "outside", "untouched");
  base::make_directories(work / "a/b/out");
  EXPECT_THROW(extract_archive(archive.get(), work / "a/b"), base::Error);
  EXPECT_EQ(base::read_file(work / "outside"), "untouched");
}

// A tar of what `script` makes in a directory of its own, with an entry for that directory.
base::Fd archive_of(const std::filesystem::path& work, const std::string& script) {
  base::make_directories(work / "from");
  EXPECT_EQ(
      std::system(
          fmt::format("cd {0}/from && {1} && tar -cf {0}/tar .", work.string(), script).c_str()),
      0);
  return base::open_file(work / "tar", O_RDONLY);
}

TEST(Transfer, LeavesWhatIsInTheDirectory) {
  const base::TemporaryDirectory directory;
  const auto out = directory.path() / "out";
  base::make_directories(out / "kept/deep");
  base::write_file(out / "kept/deep/file", "mine");
  std::filesystem::permissions(out, std::filesystem::perms(01777));
  const auto archive = archive_of(directory.path(), "echo new >result && echo x >.wh.name");
  extract_archive(archive.get(), out);
  EXPECT_EQ(base::read_file(out / "result"), "new\n");
  EXPECT_TRUE(std::filesystem::exists(out / ".wh.name"));
  EXPECT_EQ(base::read_file(out / "kept/deep/file"), "mine");
  EXPECT_EQ(std::filesystem::status(out).permissions(), std::filesystem::perms(01777));
}

TEST(Transfer, ReplacesNoDirectoryAndFollowsNoLink) {
  const base::TemporaryDirectory directory;
  const auto out = directory.path() / "out";
  base::make_directories(out / "kept");
  base::write_file(out / "kept/file", "mine");
  const auto file = archive_of(directory.path(), "echo x >kept");
  EXPECT_THROW(extract_archive(file.get(), out), base::Error);
  EXPECT_EQ(base::read_file(out / "kept/file"), "mine");
  std::filesystem::create_directory_symlink(out / "kept", out / "link");
  const auto below = archive_of(directory.path(), "rm kept && mkdir link && echo x >link/file");
  try {
    extract_archive(below.get(), out);  // the link is replaced, or the archive refused
  } catch (const base::Error&) {
  }
  EXPECT_EQ(base::read_file(out / "kept/file"), "mine");
}

TEST(Transfer, SaysBeforehandThatNothingCanBeWritten) {
  const base::TemporaryDirectory directory;
  base::write_file(directory.path() / "file", "");
  EXPECT_THROW(make_writable_directory(directory.path() / "file"), base::Error);
  make_writable_directory(directory.path() / "new/one");
  EXPECT_TRUE(std::filesystem::is_directory(directory.path() / "new/one"));
}

}  // namespace
}  // namespace twinbox::qemu
