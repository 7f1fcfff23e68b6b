// A workload with a terminal.

#include <gmock/gmock.h>

#include <csignal>

#include "tests/native/container/box_fixture.hpp"

namespace twinbox::testing {
namespace {

class Terminal : public BoxFixture {
 protected:
  sandbox::BoxRequest on_terminal(const std::string& script) {
    auto made = request(script);
    made.spec.process.terminal = true;
    made.spec.process.terminal_size = {.columns = 132, .rows = 43};
    return made;
  }
};

TEST_F(Terminal, IsTheBoxsOwnAndControlsIt) {
  const auto result = run(on_terminal(
      "tty; stty size; test -t 0 && test -t 1 && test -t 2 && echo all; echo opened > /dev/tty"));
  EXPECT_EQ(result.out, "/dev/pts/0\r\n43 132\r\nall\r\nopened\r\n");
  EXPECT_EQ(result.err, "");
  EXPECT_EQ(result.status(), 0);
}

TEST_F(Terminal, BelongsToTheUser) {
  auto made = on_terminal("stat -c '%u %g' $(tty); echo hello > $(tty)");
  made.spec.process.user = {.uid = 1000, .gid = 1000, .additional_gids = {}};
  EXPECT_EQ(run(std::move(made)).out, "1000 5\r\nhello\r\n");
}

TEST_F(Terminal, IsTheConsole) {
  EXPECT_EQ(run(on_terminal("echo text > /dev/console")).out, "text\r\n");
}

TEST_F(Terminal, TypesWhatComesIn) {
  const auto engine = make_engine();
  RunningBox running(*engine, on_terminal("stty -echo; echo up; read line; echo \"got $line\""));
  running.wait_for_output("up\r\n");
  running.write_input("words\r");
  EXPECT_EQ(running.finish().out, "up\r\ngot words\r\n");
}

TEST_F(Terminal, TurnsControlCIntoASignal) {
  const auto engine = make_engine();
  RunningBox running(
      *engine, on_terminal("trap 'echo caught; exit 5' INT; echo up; while :; do sleep 0.1; done"));
  running.wait_for_output("up\r\n");
  running.write_input("\x03");
  const auto result = running.finish();
  EXPECT_THAT(result.out, ::testing::HasSubstr("caught"));
  EXPECT_EQ(result.status(), 5);
}

TEST_F(Terminal, TellsOfANewSize) {
  const auto engine = make_engine();
  RunningBox running(
      *engine, on_terminal("trap 'stty size; exit 0' WINCH; echo up; while :; do sleep 0.1; done"));
  running.wait_for_output("up\r\n");
  running.box().resize({.columns = 61, .rows = 19});
  EXPECT_EQ(running.finish().out, "up\r\n19 61\r\n");
}

TEST_F(Terminal, DeliversMuchOutputWhole) {
  const auto result = run(on_terminal("seq 1 20000"));
  EXPECT_TRUE(result.out.ends_with("19999\r\n20000\r\n"));
  EXPECT_EQ(std::count(result.out.begin(), result.out.end(), '\n'), 20000);
}

}  // namespace
}  // namespace twinbox::testing
