#include "supervise/record.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "base/file.hpp"

namespace twinbox::supervise {
namespace {

namespace fs = std::filesystem;

BoxRecord full_record() {
  BoxRecord record{.id = "0123456789ab", .name = "web", .settings = {}, .state = {}};
  record.settings = {.image = "busybox:1",
                     .image_id = "sha256:1234",
                     .command = {"sh", "-c", "echo \"\xc3\xa4\"\n"},
                     .engine = "qemu",
                     .requested_engine = "vm",
                     .user = "daemon:tty",
                     .open_stdin = true,
                     .stdin_once = true,
                     .remove_at_end = true,
                     .stop_signal = 2,
                     .stop_timeout = -1,
                     .restart = {.kind = RestartPolicy::Kind::on_failure, .maximum_retries = 3},
                     .labels = {{"a", "1"}, {"b", ""}},
                     .snapshot = "warm",
                     .snapshot_id = "ba9876543210"};
  record.state = {.status = Status::paused,
                  .pid = 12,
                  .supervisor = 11,
                  .exit_code = 137,
                  .oom_killed = true,
                  .error = "lost",
                  .created = 1'700'000'000'123'456'789,
                  .started = 2,
                  .finished = 3,
                  .restart_count = 4};
  return record;
}

TEST(Record, IsTheSameAfterJson) {
  const auto text = to_json(full_record());
  const auto record = record_from_json(text, "box.json");
  EXPECT_EQ(to_json(record), text);
  EXPECT_EQ(record.settings.command, full_record().settings.command);
  EXPECT_EQ(record.settings.user, "daemon:tty");
  EXPECT_EQ(record.settings.restart.maximum_retries, 3U);
  EXPECT_EQ(record.state.created, 1'700'000'000'123'456'789);
  EXPECT_EQ(record.state.status, Status::paused);
}

TEST(Record, OfAnOtherVersionWithFewerAndFurtherMembersIsRead) {
  const auto record = record_from_json(
      R"({"id":"0123456789ab","name":"web","future":1,
          "settings":{"image":"busybox","engine":"vm"},
          "state":{"status":"exited","created":5}})",
      "box.json");
  EXPECT_EQ(record.settings.requested_engine, "vm");
  EXPECT_EQ(record.settings.stop_signal, 15);
  EXPECT_EQ(record.settings.stop_timeout, 10);
  EXPECT_EQ(record.state.exit_code, 0);
}

TEST(Record, BytesThatAreNoTextDoNotMakeItUnreadable) {
  auto record = full_record();
  record.settings.command = {"\xff\xfe"};
  EXPECT_NO_THROW(record_from_json(to_json(record), "box.json"));
}

TEST(Record, RestartPoliciesAreWrittenAsTheyAreRead) {
  for (const auto* const text : {"no", "on-failure", "on-failure:3", "always", "unless-stopped"}) {
    EXPECT_EQ(to_string(restart_policy_from(text)), text);
  }
  for (const auto* const text :
       {"never", "on-failure:", "on-failure:x", "on-failure:-1", "always:2"}) {
    EXPECT_THROW(restart_policy_from(text), base::Error) << text;
  }
}

TEST(Record, ThatIsMissingOrNoJsonIsNone) {
  const base::TemporaryDirectory box;
  EXPECT_FALSE(read_record(box.path()));
  EXPECT_FALSE(read_record(box.path() / "missing"));
  base::write_file(box.path() / record_name, "");
  EXPECT_FALSE(read_record(box.path()));
  base::write_file(box.path() / record_name, R"({"id": "0123456789ab"})");
  EXPECT_FALSE(read_record(box.path()));
}

TEST(Record, ThatIsThereAndCannotBeReadIsAnError) {
  const base::TemporaryDirectory box;
  fs::create_symlink(record_name, box.path() / record_name);  // leads to itself
  EXPECT_THROW(read_record(box.path()), base::Error);
}

TEST(Record, WhoseReplacementFailsStaysAndLeavesNoDraft) {
  const base::TemporaryDirectory box;
  fs::create_directories(box.path() / "box.json/busy");  // no file can be renamed over it
  try {
    replace_in(box.path(), record_name, "{}");
    FAIL() << "replaced a directory";
  } catch (const base::Error& error) {
    EXPECT_NE(error.message().find(box.path().string()), std::string::npos) << error.message();
  }
  EXPECT_TRUE(fs::exists(box.path() / "box.json/busy"));
  EXPECT_FALSE(fs::exists(box.path() / "box.json.new"));
}

TEST(Record, ThatTakesMoreThanAPageIsNotWrittenOver) {
  const base::TemporaryDirectory box;
  auto record = full_record();
  base::write_file(box.path() / record_name, to_json(record));
  record.settings.command.emplace_back(4096, 'x');
  EXPECT_THROW(overwrite(box.path(), record_name, to_json(record)), base::Error);
  EXPECT_EQ(read_record(box.path())->settings.command, full_record().settings.command);
}

TEST(Record, IsWrittenOverALongerOrAShorterOneInItsRoom) {
  const base::TemporaryDirectory box;
  auto record = full_record();
  for (const auto* const error : {"", "a long reason for which it had ended", "short"}) {
    record.state.error = error;
    if (*error == '\0') base::write_file(box.path() / record_name, to_json(record));
    overwrite(box.path(), record_name, to_json(record));
    const auto read = read_record(box.path());
    ASSERT_TRUE(read) << error;
    EXPECT_EQ(read->state.error, error);
    EXPECT_EQ(read->name, record.name);
  }
}

}  // namespace
}  // namespace twinbox::supervise
