#include "base/signal_names.hpp"

#include <gtest/gtest.h>

#include <csignal>

#include "base/error.hpp"

namespace twinbox::base {
namespace {

TEST(SignalNames, AreTakenInEveryUsualForm) {
  for (const auto* const text : {"SIGTERM", "TERM", "term", "15"}) {
    EXPECT_EQ(parse_signal(text, "--signal"), SIGTERM) << text;
  }
  EXPECT_EQ(parse_signal("SIGRTMIN+3", "--signal"), SIGRTMIN + 3);
  EXPECT_EQ(parse_signal("RTMAX-1", "--signal"), SIGRTMAX - 1);
  EXPECT_EQ(parse_signal("winch", "--signal"), SIGWINCH);
}

TEST(SignalNames, ThatAreNoneAreNamedWithTheirFlag) {
  for (const auto* const text : {"", "0", "-1", "65", "TERMINATE", "RTMIN+99", "15x"}) {
    try {
      parse_signal(text, "--signal");
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_TRUE(error.message().starts_with("--signal: '")) << error.message();
    }
  }
}

}  // namespace
}  // namespace twinbox::base
