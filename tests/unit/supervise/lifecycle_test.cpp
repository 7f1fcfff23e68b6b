#include "supervise/lifecycle.hpp"

#include <gtest/gtest.h>

#include <string>

#include "base/error.hpp"

namespace twinbox::supervise {
namespace {

bool is_legal(Action action, Status status) {
  try {
    require(action, status, "web");
    return true;
  } catch (const base::Error& error) {
    EXPECT_EQ(error.kind(), base::ErrorKind::conflict);
    return false;
  }
}

TEST(Lifecycle, StatusesHaveDockersNamesBothWays) {
  for (const auto status : {Status::created, Status::running, Status::paused, Status::restarting,
                            Status::removing, Status::exited, Status::dead}) {
    EXPECT_EQ(status_from(to_string(status)), status);
  }
  EXPECT_EQ(to_string(Status::exited), "exited");
}

TEST(Lifecycle, AnotherWordIsAUsageErrorThatListsTheStatuses) {
  try {
    status_from("up");
    FAIL() << "accepted";
  } catch (const base::Error& error) {
    EXPECT_EQ(error.kind(), base::ErrorKind::usage);
    EXPECT_NE(std::string(error.what()).find("restarting"), std::string::npos) << error.what();
  }
}

TEST(Lifecycle, OnlyABoxAtRestIsStartedOrRemoved) {
  for (const auto action : {Action::start, Action::remove}) {
    EXPECT_TRUE(is_legal(action, Status::created));
    EXPECT_TRUE(is_legal(action, Status::exited));
    EXPECT_TRUE(is_legal(action, Status::dead));
    EXPECT_FALSE(is_legal(action, Status::running));
    EXPECT_FALSE(is_legal(action, Status::paused));
    EXPECT_FALSE(is_legal(action, Status::restarting));
    EXPECT_FALSE(is_legal(action, Status::removing));
  }
}

TEST(Lifecycle, StoppingWhatHasEndedIsNoError) {
  EXPECT_TRUE(is_legal(Action::stop, Status::exited));
  EXPECT_TRUE(is_legal(Action::stop, Status::paused));
  EXPECT_FALSE(is_legal(Action::kill, Status::exited));
}

TEST(Lifecycle, PausingNeedsARunningAndUnpausingAPausedBox) {
  EXPECT_TRUE(is_legal(Action::pause, Status::running));
  EXPECT_FALSE(is_legal(Action::pause, Status::paused));
  EXPECT_FALSE(is_legal(Action::unpause, Status::running));
  EXPECT_TRUE(is_legal(Action::unpause, Status::paused));
  EXPECT_FALSE(is_legal(Action::exec, Status::paused));
  EXPECT_FALSE(is_legal(Action::exec, Status::created));
}

TEST(Lifecycle, NothingIsLegalWhileABoxIsBeingRemoved) {
  for (const auto action :
       {Action::start, Action::stop, Action::kill, Action::restart, Action::pause, Action::unpause,
        Action::attach, Action::exec, Action::update, Action::copy, Action::remove}) {
    EXPECT_FALSE(is_legal(action, Status::removing));
  }
}

TEST(Lifecycle, ARefusalNamesTheBoxWhatWasToBeDoneAndItsStatus) {
  try {
    require(Action::remove, Status::running, "web");
    FAIL() << "accepted";
  } catch (const base::Error& error) {
    EXPECT_EQ(error.message(), "cannot remove box web: it is running");
    EXPECT_NE(error.hint().find("rm -f"), std::string::npos);
  }
}

}  // namespace
}  // namespace twinbox::supervise
