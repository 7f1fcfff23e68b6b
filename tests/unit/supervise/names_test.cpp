#include "supervise/names.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <set>

#include "base/error.hpp"
#include "store_fixture.hpp"

namespace twinbox::supervise {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;

class NamesTest : public StoreFixture {
 protected:
  Names table() const { return Names(boxes()); }
};

TEST_F(NamesTest, AreWhatDockerTakes) {
  for (const auto* const name : {"web", "a1", "0_.-", "Web-Server.1"}) {
    EXPECT_NO_THROW(table().claim(name, "0123456789ab")) << name;
  }
  for (const auto& name : {std::string(), std::string("a"), std::string("-a"), std::string("a/b"),
                           std::string("a b"), std::string(".."), std::string(300, 'a')}) {
    EXPECT_THROW(table().claim(name, "0123456789ab"), base::Error) << name;
  }
}

TEST_F(NamesTest, OfABoxIsNotGivenToAnother) {
  const auto id = make_box("web");
  try {
    table().claim("web", "ffffffffffff");
    FAIL() << "taken twice";
  } catch (const base::Error& error) {
    EXPECT_EQ(error.kind(), base::ErrorKind::conflict);
    EXPECT_EQ(error.message(), "the name web is already in use by box " + id);
  }
}

TEST_F(NamesTest, OfABoxThatIsBeingMadeIsNotGivenToAnother) {
  fs::create_directories(boxes() / "0123456789ab");
  table().claim("web", "0123456789ab");
  EXPECT_THROW(table().claim("web", "ffffffffffff"), base::Error);
}

TEST_F(NamesTest, OfABoxThatIsGoneIsFree) {
  table().claim("web", "0123456789ab");
  EXPECT_NO_THROW(table().claim("web", "ffffffffffff"));
  EXPECT_EQ(table().find("web"), "ffffffffffff");
}

TEST_F(NamesTest, ThatItsBoxDoesNotSayIsFree) {
  const auto id = make_box("web");
  fs::create_symlink(id, names() / "other");  // renaming was cut short
  EXPECT_NO_THROW(table().claim("other", "ffffffffffff"));
}

TEST_F(NamesTest, StaysWithTheBoxWhenRenamingFails) {
  const auto id = make_box("web");
  const auto fail = [] { throw base::Error(base::ErrorKind::system, "the disk is full"); };
  EXPECT_THROW(table().move("web", "other", id, fail), base::Error);
  EXPECT_THAT(names_in(names()), ElementsAre("web"));
}

TEST_F(NamesTest, ThatLeadNowhereAreTidiedAway) {
  make_box("web");
  table().claim("left", "0123456789ab");
  table().tidy(1);
  EXPECT_THAT(names_in(names()), ElementsAre("web"));
}

TEST_F(NamesTest, MadeUpAreDockersAndUniqueEvenWhenThereAreMany) {
  std::set<std::string> made;
  for (unsigned i = 0; i < 1500; ++i) {
    const auto id = fmt::format("{:012x}", i * 7919);
    fs::create_directories(boxes() / id);
    const auto name = table().claim_any(id);
    EXPECT_NE(name.find('_'), std::string::npos) << name;
    EXPECT_TRUE(made.insert(name).second) << name;
  }
}

TEST_F(NamesTest, FindDoesNotLeaveTheDirectory) {
  EXPECT_FALSE(table().find(""));
  EXPECT_FALSE(table().find(".."));
  EXPECT_FALSE(table().find("../boxes"));
  EXPECT_FALSE(table().find("nobody"));
}

}  // namespace
}  // namespace twinbox::supervise
