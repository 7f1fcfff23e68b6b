#include "base/error.hpp"

#include <gtest/gtest.h>

namespace twinbox::base {
namespace {

TEST(Error, SaysWhatFailedAndHowToMendIt) {
  const Error error(ErrorKind::unsupported, "no hardware virtualization", "try the lab");
  EXPECT_STREQ(error.what(), "no hardware virtualization (try the lab)");
  EXPECT_EQ(error.hint(), "try the lab");
}

TEST(Error, WithoutAHintIsTheMessageAlone) {
  EXPECT_STREQ(Error(ErrorKind::usage, "no command").what(), "no command");
}

TEST(SystemError, NamesTheCause) {
  const auto error = system_error(EACCES, "cannot open /dev/kvm");
  EXPECT_EQ(error.kind(), ErrorKind::system);
  EXPECT_EQ(error.message(), "cannot open /dev/kvm: Permission denied");
  EXPECT_EQ(error.number(), EACCES);
}

TEST(SystemError, TellsAMissingFileApart) {
  EXPECT_EQ(system_error(ENOENT, "x").kind(), ErrorKind::not_found);
}

}  // namespace
}  // namespace twinbox::base
