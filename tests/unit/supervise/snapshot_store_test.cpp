#include "supervise/snapshot_store.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>

#include "base/error.hpp"
#include "base/file.hpp"
#include "sandbox/owned_directory.hpp"
#include "store_fixture.hpp"

namespace twinbox::supervise {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

SnapshotRecord record_of(const std::string& name) {
  SnapshotRecord record{.id = {}, .name = name, .created = 0, .box = {}, .spec = {}};
  record.box.id = "0123456789ab";
  record.box.name = "web";
  record.box.settings.image = "busybox";
  record.box.settings.image_id = "sha256:12";
  record.box.settings.engine = "vm";
  record.box.state.status = Status::running;
  record.spec = sandbox::default_spec();
  record.spec.process.args = {"sleep", "7"};
  record.spec.hostname = "web";
  return record;
}

void save_something(const fs::path& directory) { base::write_file(directory / "machine", "state"); }

class SnapshotStoreTest : public testing::Test {
 protected:
  std::string refusal(const std::function<void()>& act) {
    try {
      act();
    } catch (const base::Error& error) {
      EXPECT_FALSE(error.hint().empty()) << error.message();
      return error.message();
    }
    ADD_FAILURE() << "accepted";
    return {};
  }
  std::vector<std::string> work() const { return base::names_in(root_.path() / "work"); }

  base::TemporaryDirectory root_;
  SnapshotStore store_{root_.path()};
};

TEST_F(SnapshotStoreTest, KeepsWhatWasSavedAndTheBox) {
  const auto made = store_.create(record_of("warm"), save_something);

  const auto found = store_.find("warm");
  EXPECT_EQ(made.id, found.id);
  EXPECT_EQ(12U, found.id.size());
  EXPECT_GT(found.created, 1'700'000'000'000'000'000);
  EXPECT_EQ("web", found.box.name);
  EXPECT_EQ("sha256:12", found.box.settings.image_id);
  EXPECT_EQ(sandbox::to_json(record_of("warm").spec), sandbox::to_json(found.spec));
  EXPECT_EQ("state", base::read_file(store_.directory("warm") / "machine"));
  EXPECT_GE(store_.size("warm"), 4096U);
  EXPECT_THAT(work(), IsEmpty());
  EXPECT_EQ("warm", store_.find("warm", made.id).name);
  EXPECT_THAT(refusal([&] { store_.find("warm", "another"); }), HasSubstr("'warm'"));
}

TEST_F(SnapshotStoreTest, RemovesWhatCannotBeRead) {
  store_.create(record_of("cut"), save_something);
  store_.create(record_of("bare"), save_something);
  store_.create(record_of("whole"), save_something);
  base::write_file(store_.directory("cut") / "snapshot.json", "{");
  fs::remove(store_.directory("bare") / "snapshot.json");

  EXPECT_EQ(1U, store_.list().size());
  EXPECT_TRUE(store_.find_readable("whole"));
  for (const auto* name : {"cut", "bare"}) {
    EXPECT_FALSE(store_.find_readable(name)) << name;
    store_.remove(name);
    EXPECT_THAT(refusal([&] { store_.find_readable(name); }), HasSubstr("no such snapshot"));
    store_.create(record_of(name), save_something);
  }
  EXPECT_THAT(work(), IsEmpty());
}

TEST_F(SnapshotStoreTest, RefusesATakenNameAndWhatIsNone) {
  store_.create(record_of("warm"), save_something);
  bool saved = false;
  EXPECT_THAT(
      refusal([&] { store_.create(record_of("warm"), [&](const auto&) { saved = true; }); }),
      HasSubstr("'warm' already"));
  EXPECT_FALSE(saved);
  for (const auto* name : {"", "a", "../up", "a/b", ".hidden", "-x", "a b"}) {
    EXPECT_THAT(refusal([&] { store_.check_new(name); }), HasSubstr("no name for a snapshot"));
  }
  for (const auto* name : {"", "..", "../snapshots/warm", "missing"}) {
    EXPECT_THAT(refusal([&] { store_.find(name); }), HasSubstr("no such snapshot"));
  }
}

// As where another process was quicker.
TEST_F(SnapshotStoreTest, TheFirstOfTwoAtOnceStays) {
  const auto loses = [&] {
    store_.create(record_of("warm"),
                  [&](const fs::path&) { store_.create(record_of("warm"), save_something); });
  };
  EXPECT_THAT(refusal(loses), HasSubstr("already"));
  EXPECT_EQ("state", base::read_file(store_.directory("warm") / "machine"));
  EXPECT_THAT(work(), IsEmpty());
}

TEST_F(SnapshotStoreTest, LeavesNothingOfOneThatFails) {
  const auto fails = [&] {
    store_.create(record_of("warm"), [](const fs::path& directory) {
      save_something(directory);
      throw base::Error(base::ErrorKind::system, "no space", "make some");
    });
  };
  EXPECT_EQ("no space", refusal(fails));
  EXPECT_THAT(store_.list(), IsEmpty());
  EXPECT_THAT(work(), IsEmpty());
}

TEST_F(SnapshotStoreTest, LeavesNothingOfAKilledCommandAfterASweep) {
  const auto half = root_.path() / "half";
  Child child([&] {
    store_.create(record_of("warm"), [&](const fs::path& directory) {
      save_something(directory);
      base::write_file(half, "");
      ::pause();
    });
    return 0;
  });
  while (!fs::exists(half)) ::usleep(1000);
  EXPECT_THAT(store_.list(), IsEmpty());
  child.kill();

  sandbox::sweep_ownerless(root_.path() / "work");

  EXPECT_THAT(store_.list(), IsEmpty());
  EXPECT_THAT(work(), IsEmpty());
}

TEST_F(SnapshotStoreTest, ListsTheNewestFirstAndRemoves) {
  for (const auto* name : {"one", "two", "three"}) store_.create(record_of(name), save_something);
  fs::create_directory(root_.path() / "snapshots/no-record");
  const auto names = [&] {
    std::vector<std::string> all;
    for (const auto& record : store_.list()) all.push_back(record.name);
    return all;
  };
  EXPECT_THAT(names(), ElementsAre("three", "two", "one"));

  store_.remove("two");

  EXPECT_THAT(names(), ElementsAre("three", "one"));
  EXPECT_THAT(work(), IsEmpty());
  EXPECT_THAT(refusal([&] { store_.remove("two"); }), HasSubstr("no such snapshot: two"));
}

TEST_F(SnapshotStoreTest, RefusesTheRecordOfAnotherVersion) {
  store_.create(record_of("warm"), save_something);
  const auto file = store_.directory("warm") / "snapshot.json";
  auto text = base::read_file(file);
  const std::string version = "\"version\":1";
  ASSERT_NE(std::string::npos, text.find(version));
  text.replace(text.find(version), version.size(), "\"version\":2");
  base::write_file(file, text);
  EXPECT_THAT(refusal([&] { store_.find("warm"); }), HasSubstr("has version 2"));
  EXPECT_THAT(store_.list(), IsEmpty());
}

}  // namespace
}  // namespace twinbox::supervise
