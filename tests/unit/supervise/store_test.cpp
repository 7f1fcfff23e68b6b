#include "supervise/store.hpp"

#include <gmock/gmock.h>
#include <sys/mount.h>
#include <unistd.h>

#include <csignal>

#include "base/error.hpp"
#include "store_fixture.hpp"
#include "supervise/events.hpp"
#include "supervise/time.hpp"

namespace twinbox::supervise {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

class StoreTest : public StoreFixture {
 protected:
  Status status_of(const std::string& id) const { return store().find(id).state.status; }
  std::string message_of(const std::function<void()>& work) const {
    try {
      work();
      return "nothing was thrown";
    } catch (const base::Error& error) {
      return error.message();
    }
  }
  std::vector<std::string> actions() const {
    std::vector<std::string> found;
    read_events({.since = 0, .until = now()},
                [&](const Event& event) { found.push_back(event.action); });
    return found;
  }
};

TEST_F(StoreTest, ABoxOutlivesTheProcessThatMadeIt) {
  auto spec = sandbox::default_spec();
  spec.process.args = {"true"};
  spec.hostname = "here";
  std::string id;
  {
    const auto box = store().create("web", settings_of("vm"), spec);
    id = box.record().id;
    EXPECT_EQ(box.record().name, "web");
  }
  const auto record = store().find("web");
  EXPECT_EQ(record.id, id);
  EXPECT_EQ(record.state.status, Status::created);
  EXPECT_GT(record.state.created, 0);
  EXPECT_EQ(record.settings.engine, "vm");
  EXPECT_EQ(store().spec(id).hostname, "here");
  EXPECT_THAT(sweep(), IsEmpty());
  EXPECT_EQ(status_of(id), Status::created);
}

TEST_F(StoreTest, WithoutAnyBoxThereIsNothingToListOrSweep) {
  EXPECT_THAT(store().list(), IsEmpty());
  EXPECT_THAT(sweep(), IsEmpty());
  EXPECT_FALSE(fs::exists(boxes()));
}

TEST_F(StoreTest, ABoxWithoutANameGetsOne) {
  const auto id = make_box("");
  const auto name = store().find(id).name;
  EXPECT_THAT(name, HasSubstr("_"));
  EXPECT_EQ(store().find(name).id, id);
}

TEST_F(StoreTest, ANameThatIsTakenLeavesNothingBehind) {
  const auto id = make_box("web");
  EXPECT_THAT(message_of([&] { make_box("web"); }), HasSubstr("the name web is already in use"));
  EXPECT_THAT(names_in(boxes()), ElementsAre(id));
  EXPECT_THAT(message_of([&] { make_box("no name"); }), HasSubstr("is no name"));
  EXPECT_THAT(names_in(boxes()), ElementsAre(id));
}

TEST_F(StoreTest, BoxesAreFoundByIdThenByNameThenByTheBeginningOfAnId) {
  const auto one = make_box("web");
  const auto other = make_box(one);  // a name like the first one's id
  EXPECT_EQ(store().find(one).name, "web");
  EXPECT_EQ(store().find("web").id, one);
  EXPECT_EQ(store().find(one.substr(0, 11)).id, one);
  const auto prefix = other.substr(0, 4);
  const auto named = make_box(prefix);
  EXPECT_EQ(store().find(prefix).id, named);
  EXPECT_THAT(message_of([&] { store().find("nobody"); }), "no such box: nobody");
  EXPECT_THAT(message_of([&] { store().find(""); }), "no such box: ");
}

TEST_F(StoreTest, AnAmbiguousBeginningIsRefused) {
  for (int i = 0; i < 17; ++i) make_box("");  // two of them begin with the same digit
  std::vector<std::string> ambiguous;
  for (const char digit : std::string("0123456789abcdef")) {
    const auto message = message_of([&] { store().find(std::string(1, digit)); });
    if (message.find("boxes have ids that begin with") != std::string::npos) {
      ambiguous.emplace_back(1, digit);
    }
  }
  EXPECT_THAT(ambiguous, testing::Not(IsEmpty()));
}

TEST_F(StoreTest, TheListIsNewestFirstAndLeavesOutWhatIsHalfMade) {
  const auto first = make_box("first");
  const auto second = make_box("second");
  fs::create_directory(boxes() / "0123456789ab");
  fs::create_directory(boxes() / "0123456789ac.gone");
  const auto list = store().list();
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list[0].id, second);
  EXPECT_EQ(list[1].id, first);
}

TEST_F(StoreTest, ARenamedBoxIsFoundByItsNewNameOnly) {
  const auto id = make_box("web");
  store().rename(id, "shop");
  EXPECT_EQ(store().find("shop").id, id);
  EXPECT_THAT(message_of([&] { store().find("web"); }), "no such box: web");
  EXPECT_NO_THROW(make_box("web"));
  EXPECT_THAT(message_of([&] { store().rename(id, "web"); }), HasSubstr("in use"));
  EXPECT_EQ(store().find(id).name, "shop");
}

TEST_F(StoreTest, ARemovedBoxIsGoneWithItsName) {
  const auto id = make_box("web");
  store().own(id).remove();
  EXPECT_THAT(names_in(boxes()), IsEmpty());
  EXPECT_THAT(names_in(names()), IsEmpty());
  EXPECT_THAT(message_of([&] { store().own(id); }), HasSubstr("no such box"));
}

TEST_F(StoreTest, ABoxThatAnotherProcessOwnsIsNotOwnedTwice) {
  const auto id = make_box("web");
  const auto owner = run_box(id);
  EXPECT_THAT(message_of([&] { store().own(id); }), "box web is in use by another command");
  EXPECT_THAT(sweep(), IsEmpty());
  EXPECT_EQ(status_of(id), Status::running);
}

TEST_F(StoreTest, ABoxThatIsHeldForAMomentIsWaitedFor) {
  const auto id = make_box("web");
  auto held = std::make_optional(store().own(id));
  Child other([&] { return store().own(id).record().name == "web" ? 0 : 1; });
  held.reset();
  EXPECT_EQ(other.wait(), 0);
}

TEST_F(StoreTest, ABoxWhoseSupervisorWasKilledHasExitedWithAReason) {
  for (const auto status : {Status::running, Status::paused, Status::restarting}) {
    const auto id = make_box("");
    run_box(id, status).kill();
    base::write_file(store().directory(id) / "control.sock", "");
    EXPECT_THAT(sweep(), ElementsAre(id));
    const auto state = store().find(id).state;
    EXPECT_EQ(state.status, Status::exited);
    EXPECT_EQ(state.exit_code, 137);
    EXPECT_EQ(state.error, "its supervisor was killed");
    EXPECT_GT(state.finished, 0);
    EXPECT_EQ(state.supervisor, 0);
    EXPECT_FALSE(fs::exists(store().directory(id) / "control.sock"));
    EXPECT_THAT(sweep(), IsEmpty());
  }
  EXPECT_THAT(actions(), ElementsAre("die", "die", "die"));
}

TEST_F(StoreTest, ABoxWhoseRecordCannotBeUnderstoodIsKept) {
  for (const auto* const text : {"", "{", R"({"id": 1})"}) {
    const auto id = make_box("");
    const auto file = store().directory(id) / record_name;
    base::write_file(file, text);
    EXPECT_THAT(sweep(), IsEmpty());
    EXPECT_TRUE(fs::exists(store().directory(id) / "config.json")) << text;
    fs::remove(file);
    EXPECT_THAT(sweep(), ElementsAre(id)) << "it was never finished";
    EXPECT_FALSE(fs::exists(store().directory(id)));
  }
}

TEST_F(StoreTest, ABoxWhoseSupervisorWasKilledBeforeItRanIsStillCreated) {
  const auto id = make_box("web");
  run_box(id, Status::created).kill();
  EXPECT_THAT(sweep(), ElementsAre(id));
  EXPECT_EQ(status_of(id), Status::created);
  EXPECT_THAT(sweep(), IsEmpty());
}

TEST_F(StoreTest, ABoxToBeRemovedAtItsEndIsRemovedAfterItsSupervisorWasKilled) {
  const auto id = make_box("web", true);
  EXPECT_THAT(sweep(), IsEmpty()) << "it has not run yet";
  EXPECT_EQ(status_of(id), Status::created);
  run_box(id).kill();
  EXPECT_THAT(sweep(), ElementsAre(id));
  EXPECT_THAT(names_in(boxes()), IsEmpty());
  EXPECT_THAT(names_in(names()), IsEmpty());
  EXPECT_THAT(actions(), ElementsAre("die", "destroy"));
}

TEST_F(StoreTest, HalfMadeAndHalfRemovedBoxesAreSwept) {
  fs::create_directories(boxes() / "0123456789ab/upper");
  fs::create_directories(boxes() / "0123456789ac.gone/upper");
  fs::create_directories(boxes() / "lost+found");
  fs::create_directories(names());
  fs::create_symlink("0123456789ab", names() / "half");
  EXPECT_THAT(sweep(), ElementsAre("0123456789ab"));
  EXPECT_THAT(names_in(boxes()), ElementsAre("lost+found"));
  sweep();
  EXPECT_THAT(names_in(names()), IsEmpty());
}

TEST_F(StoreTest, WhatCannotBeCleanedUpStaysForTheNextSweep) {
  const auto id = make_box("web");
  run_box(id).kill();
  fs::create_directories(boxes() / "0123456789ab");
  testing::internal::CaptureStderr();
  store().sweep(
      [](const auto&...) { throw base::Error(base::ErrorKind::system, "the mount is busy"); });
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("the mount is busy"));
  EXPECT_THAT(names_in(boxes()), UnorderedElementsAre(id, "0123456789ab"));
  EXPECT_EQ(status_of(id), Status::running);
  EXPECT_THAT(sweep(), UnorderedElementsAre(id, "0123456789ab"));
}

// A small file system of the test's own, where the tests may mount.
class StoreOnOwnDiskTest : public StoreTest {
 protected:
  void SetUp() override {
    fs::create_directories(boxes());
    if (::geteuid() != 0 || ::mount("tmpfs", root_.path().c_str(), "tmpfs", 0, "size=256k") != 0) {
      GTEST_SKIP() << "mounting needs root";
    }
    mounted_ = true;
  }
  void TearDown() override {
    if (mounted_) ::umount2(root_.path().c_str(), MNT_DETACH);
  }
  void fill() const {
    testing::internal::CaptureStderr();
    try {
      base::write_file(root_.path() / "big", std::string(1 << 20, 'x'));
    } catch (const base::Error&) {
    }
    testing::internal::GetCapturedStderr();
  }
  bool mounted_ = false;
};

TEST_F(StoreOnOwnDiskTest, AFullDiskIsAnErrorThatNamesThePathAndLeavesNothing) {
  const auto id = make_box("web");
  fill();
  EXPECT_THAT(message_of([&] { make_box("shop"); }),
              testing::AllOf(HasSubstr(boxes().string()), HasSubstr("No space left")));
  EXPECT_THAT(message_of([&] { store().rename(id, "other"); }), HasSubstr("No space left"));
  EXPECT_THAT(names_in(boxes()), ElementsAre(id));
  EXPECT_THAT(names_in(names()), ElementsAre("web"));
  EXPECT_EQ(store().find("web").name, "web");
  EXPECT_NO_THROW(store().own(id).remove());
}

TEST_F(StoreOnOwnDiskTest, AReadOnlyDirectoryIsAnErrorThatNamesThePath) {
  const auto id = make_box("web");
  ASSERT_EQ(::mount(nullptr, root_.path().c_str(), nullptr, MS_REMOUNT | MS_RDONLY, nullptr), 0);
  const auto refused = testing::AllOf(HasSubstr(root_.path().string()), HasSubstr("Read-only"));
  EXPECT_THAT(message_of([&] { make_box("shop"); }), refused);
  EXPECT_THAT(message_of([&] { store().own(id).remove(); }), refused);
  EXPECT_EQ(store().list().size(), 1U);
  EXPECT_EQ(store().find("web").id, id);
  EXPECT_NO_THROW(sweep());
}

}  // namespace
}  // namespace twinbox::supervise
