#include "supervise/log.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/mount.h>
#include <unistd.h>

#include <atomic>
#include <random>
#include <thread>

#include "base/error.hpp"
#include "base/file.hpp"
#include "supervise/time.hpp"

namespace twinbox::supervise {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class LogTest : public testing::Test {
 protected:
  std::vector<LogEntry> entries(const LogQuery& query = {}) const {
    std::vector<LogEntry> found;
    read_log(file_, query, [&](const LogEntry& entry) { found.push_back(entry); });
    return found;
  }
  std::vector<std::string> texts(const LogQuery& query = {}) const {
    std::vector<std::string> found;
    for (const auto& entry : entries(query)) found.push_back(entry.text);
    return found;
  }
  std::string all(LogStream stream) const {
    std::string text;
    for (const auto& entry : entries()) {
      if (entry.stream == stream) text += entry.text;
    }
    return text;
  }

  base::TemporaryDirectory root_;
  fs::path file_ = root_.path() / "log";
};

TEST_F(LogTest, HasTheFormatOfTheContainerRuntimeInterface) {
  LogWriter(file_).write(LogStream::out, "one\ntw");
  const auto text = base::read_file(file_);
  EXPECT_THAT(text, testing::MatchesRegex(
                        "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\\.[0-9]{9}Z stdout F one\n"
                        "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\\.[0-9]{9}Z stdout P tw\n"));
}

TEST_F(LogTest, TellsStreamsTimesAndNewlines) {
  const auto before = now();
  LogWriter log(file_);
  log.write(LogStream::out, "one\n\ntwo");
  log.write(LogStream::err, "bad\n");
  const auto found = entries();
  ASSERT_EQ(found.size(), 4U);
  EXPECT_THAT(texts(), ElementsAre("one\n", "\n", "two", "bad\n"));
  EXPECT_EQ(found[2].stream, LogStream::out);
  EXPECT_EQ(found[3].stream, LogStream::err);
  EXPECT_GE(found[0].time, before);
  EXPECT_LE(found[3].time, now());
}

TEST_F(LogTest, LosesNoByteOfBinaryOutputHoweverItIsCut) {
  std::mt19937 random(1);
  std::string out;
  std::string err;
  LogWriter log(file_);
  for (int i = 0; i < 500; ++i) {
    std::string chunk(random() % 3000, '\0');
    for (auto& byte : chunk) byte = static_cast<char>(random() % 4 == 0 ? '\n' : random());
    const auto stream = random() % 2 == 0 ? LogStream::out : LogStream::err;
    log.write(stream, chunk);
    (stream == LogStream::out ? out : err) += chunk;
  }
  EXPECT_TRUE(all(LogStream::out) == out);
  EXPECT_TRUE(all(LogStream::err) == err);
}

TEST_F(LogTest, TakesAHundredThousandLinesAndFindsTheLastOnes) {
  LogWriter log(file_);
  for (int i = 0; i < 100'000; ++i) log.write(LogStream::out, fmt::format("line {}\n", i));
  EXPECT_EQ(entries().size(), 100'000U);
  EXPECT_THAT(texts({.tail = 2}), ElementsAre("line 99998\n", "line 99999\n"));
  const auto many = texts({.tail = 77'777});
  ASSERT_EQ(many.size(), 77'777U);
  EXPECT_EQ(many.front(), "line 22223\n");
}

TEST_F(LogTest, TakesTenMegabytesWithoutANewline) {
  LogWriter log(file_);
  for (int i = 0; i < 160; ++i) log.write(LogStream::out, std::string(65536, 'x'));
  EXPECT_EQ(all(LogStream::out).size(), 160U * 65536);
  EXPECT_EQ(entries({.tail = 1}).size(), 160U) << "it is one line";
}

TEST_F(LogTest, TailCountsLinesAndNotWhatTheyWereWrittenIn) {
  LogWriter log(file_);
  for (const auto* const piece : {"a1 ", "a2\n", "b1 ", "b2 ", "b3\n", "c"}) {
    log.write(LogStream::out, piece);
  }
  EXPECT_THAT(texts({.tail = 0}), IsEmpty());
  EXPECT_THAT(texts({.tail = 1}), ElementsAre("c"));
  EXPECT_THAT(texts({.tail = 2}), ElementsAre("b1 ", "b2 ", "b3\n", "c"));
  EXPECT_EQ(texts({.tail = 3}).size(), 6U);
  EXPECT_EQ(texts({.tail = 1000}).size(), 6U);
}

TEST_F(LogTest, SinceAndUntilBoundTheTime) {
  LogWriter log(file_);
  for (const auto* const line : {"one\n", "two\n", "three\n"}) log.write(LogStream::out, line);
  const auto found = entries();
  ASSERT_EQ(found.size(), 3U);
  EXPECT_THAT(texts({.since = found[1].time}), ElementsAre("two\n", "three\n"));
  EXPECT_THAT(texts({.until = found[1].time}), ElementsAre("one\n", "two\n"));
  EXPECT_THAT(texts({.tail = 1, .since = found[2].time + 1}), IsEmpty());
}

TEST_F(LogTest, OfABoxThatHasPrintedNothingIsEmpty) { EXPECT_THAT(entries(), IsEmpty()); }

TEST_F(LogTest, IsFollowedFromBeforeItIsThereToTheEnd) {
  std::atomic<bool> ended = false;
  std::string seen;
  std::jthread writer;
  const auto write = [&] {
    LogWriter log(file_);
    for (int i = 0; i < 2000; ++i) log.write(LogStream::out, fmt::format("{}\n", i));
    ended = true;
    base::write_file(root_.path() / "box.json", "{}");
  };
  read_log(
      file_, {.follow = true}, [&](const LogEntry& entry) { seen += entry.text; },
      [&] {
        if (!writer.joinable()) writer = std::jthread(write);
        return ended.load();
      });
  writer.join();
  EXPECT_EQ(seen, all(LogStream::out));
  EXPECT_THAT(seen, testing::EndsWith("1999\n"));
}

TEST_F(LogTest, IsNoLongerFollowedWhenItsDirectoryGoes) {
  fs::create_directory(root_.path() / "box");
  LogWriter log(root_.path() / "box/log");
  log.write(LogStream::out, "one\n");
  std::string seen;
  read_log(root_.path() / "box/log", {.follow = true}, [&](const LogEntry& entry) {
    seen += entry.text;
    if (seen != "one\n") return;
    log.write(LogStream::out, "two\n");
    fs::rename(root_.path() / "box", root_.path() / "box.gone");
  });
  EXPECT_EQ(seen, "one\ntwo\n");
}

TEST_F(LogTest, IsNoLongerFollowedWhenTheTimeHasPassed) {
  LogWriter log(file_);
  log.write(LogStream::out, "one\n");
  std::string seen;
  read_log(file_, {.follow = true, .until = now() + 1'000'000},
           [&](const LogEntry& entry) { seen += entry.text; });
  EXPECT_EQ(seen, "one\n");
}

TEST_F(LogTest, GoesOnBehindAnEntryWhoseWriterWasKilled) {
  LogWriter(file_).write(LogStream::out, "one\n");
  const auto whole = base::read_file(file_);
  base::write_file(file_, whole + whole.substr(0, whole.size() - 3));
  EXPECT_THAT(texts(), ElementsAre("one\n"));
  EXPECT_THAT(texts({.tail = 1}), ElementsAre("one\n"));
  LogWriter(file_).write(LogStream::out, "two\n");
  EXPECT_THAT(texts(), ElementsAre("one\n", "two\n"));
}

TEST_F(LogTest, LinesOfAnotherFormAreLeftOut) {
  LogWriter(file_).write(LogStream::out, "one\n");
  base::write_file(
      file_, "\nx\nnot a line of ours, but one that is quite long\n" + base::read_file(file_));
  EXPECT_THAT(texts(), ElementsAre("one\n"));
}

TEST_F(LogTest, ThatCannotBeWrittenIsAnErrorThatNamesIt) {
  try {
    LogWriter log(root_.path() / "missing/log");
    FAIL() << "opened";
  } catch (const base::Error& error) {
    EXPECT_THAT(error.message(), HasSubstr("missing/log"));
  }
}

TEST_F(LogTest, WarnsOnceOfAFullDiskAndGoesOnWhenThereIsRoom) {
  if (::geteuid() != 0 || ::mount("tmpfs", root_.path().c_str(), "tmpfs", 0, "size=64k") != 0) {
    GTEST_SKIP() << "mounting needs root";
  }
  base::write_file(root_.path() / "ballast", std::string(32768, 'x'));
  {
    LogWriter log(file_);
    testing::internal::CaptureStderr();
    log.write(LogStream::out, "one\n");
    for (int i = 0; i < 3; ++i) log.write(LogStream::out, std::string(60'000, 'y') + "\n");
    const auto warnings = testing::internal::GetCapturedStderr();
    EXPECT_EQ(std::ranges::count(warnings, '\n'), 1) << warnings;
    EXPECT_THAT(warnings, HasSubstr(file_.string()));
    fs::remove(root_.path() / "ballast");
    log.write(LogStream::out, "two\n");
  }
  EXPECT_THAT(texts(), ElementsAre("one\n", "two\n"));
  ::umount2(root_.path().c_str(), MNT_DETACH);
}

}  // namespace
}  // namespace twinbox::supervise
