// Boxes at a terminal: keys, sizes, detaching, and a terminal that is itself again afterwards.
#include "tests/native/cli/terminal.hpp"

#include <csignal>
#include <memory>

#include "tests/native/cli/cli_fixture.hpp"

namespace twinbox::testing {
namespace {

class AtATerminal : public CliFixture {
 protected:
  std::unique_ptr<Terminal> at_terminal(const Words& args,
                                        sandbox::TerminalSize size = {80, 24}) const {
    return std::make_unique<Terminal>(TWINBOX_PROGRAM, args,
                                      Words{"TWINBOX_ROOT=" + root().string()}, size);
  }
  std::unique_ptr<Terminal> shell(Words flags = {}, sandbox::TerminalSize size = {80, 24}) const {
    Words args{"run", "-it", "--rm", "--die-with-parent", "-e", "PS1=ready> "};
    args.insert(args.end(), flags.begin(), flags.end());
    args.insert(args.end(), {"busybox", "sh"});
    auto terminal = at_terminal(args, size);
    terminal->wait_for("ready> ");
    return terminal;
  }
};

TEST_F(AtATerminal, AWorkloadHasATerminalOfTheCallersSizeAndItsType) {
  const auto terminal = shell({}, {100, 40});
  terminal->type("stty size; test -t 0 && test -t 1 && test -t 2 && echo all of $TERM; exit 7\n");
  terminal->wait_for("40 100\r\n");
  terminal->wait_for("all of xterm\r\n");
  EXPECT_EQ(terminal->finish(), 7);
  EXPECT_FALSE(terminal->is_raw());
}

TEST_F(AtATerminal, AResizeIsPassedOn) {
  const auto terminal = shell();
  terminal->type("trap 'stty size' WINCH; echo set''up\n");
  terminal->wait_for("setup\r\n");
  terminal->resize({91, 33});
  // The shell runs its trap once the program at work has ended.
  terminal->type("until stty size | grep -q 33; do sleep 0.01; done; echo seen $(stty size)\n");
  terminal->wait_for("seen 33 91\r\n");
  terminal->type("exit\n");
  EXPECT_EQ(terminal->finish(), 0);
}

TEST_F(AtATerminal, KeysThatInterruptAndSuspendGoToTheWorkload) {
  const auto terminal = shell();
  terminal->type("sh -c 'echo sle''eps; exec sleep 1000'\n");
  terminal->wait_for("sleeps\r\n");
  terminal->type("\x03");
  terminal->wait_for("^C");
  terminal->wait_for("ready> ");
  terminal->type("sh -c 'echo re''ads; exec cat'\n");
  terminal->wait_for("reads\r\n");
  terminal->type("echoed\n");
  terminal->wait_for("echoed\r\nechoed\r\n");
  terminal->type("\x1a");
  terminal->wait_for("Stopped");
  terminal->wait_for("ready> ");
  terminal->type("exec sh -c 'exit 3'\n");
  EXPECT_EQ(terminal->finish(), 3);
}

TEST_F(AtATerminal, TheDetachKeysLeaveTheBoxRunning) {
  const auto run =
      at_terminal({"run", "-it", "--name", "left", "-e", "PS1=ready> ", "busybox", "sh"});
  run->wait_for("ready> ");
  run->type("kept=1\n\x10");
  run->type("\x11");
  EXPECT_EQ(run->finish(), 0);
  EXPECT_FALSE(run->is_raw());
  const auto again = at_terminal({"attach", "left"});
  again->type("echo kept is $kept\n");
  again->wait_for("kept is 1\r\n");
  again->type("exit 4\n");
  EXPECT_EQ(again->finish(), 4);
}

TEST_F(AtATerminal, OtherDetachKeysLeaveTheUsualOnesToTheWorkload) {
  const auto terminal = shell({"--detach-keys", "ctrl-x,x"});
  terminal->type("busybox od -An -tx1 -N4\n");
  terminal->wait_for("-N4\r\n");
  terminal->type("\x10w\x18y");  // ctrl-x without x is text
  terminal->type("\n");
  terminal->wait_for("10 77 18 79");
  terminal->type("\x18x");
  EXPECT_EQ(terminal->finish(), 0);
}

TEST_F(AtATerminal, IsItselfAgainWhenTheCommandIsEnded) {
  for (const int number : {SIGTERM, SIGHUP, SIGINT, SIGQUIT}) {
    const auto terminal = shell();
    EXPECT_TRUE(terminal->is_raw());
    terminal->signal(number);
    EXPECT_EQ(terminal->finish(), 128 + number);
    EXPECT_FALSE(terminal->is_raw()) << number;
  }
}

TEST_F(AtATerminal, IsItselfAgainWhenTheBoxIsKilled) {
  const auto terminal = shell();
  terminal->type("kill -9 $$ || :; exec sleep 0\n");
  terminal->finish();
  EXPECT_FALSE(terminal->is_raw());
}

TEST_F(AtATerminal, ExecHasOneOfItsOwn) {
  ASSERT_EQ(twinbox({"run", "-d", "--name", "host", "busybox", "sleep", "1000"}).status, 0);
  const auto terminal = at_terminal({"exec", "-it", "-e", "PS1=ready> ", "host", "sh"}, {70, 20});
  terminal->wait_for("ready> ");
  terminal->type("stty size; echo $TERM; exit 6\n");
  terminal->wait_for("20 70\r\n");
  terminal->wait_for("xterm\r\n");
  EXPECT_EQ(terminal->finish(), 6);
  EXPECT_FALSE(terminal->is_raw());
}

TEST_F(AtATerminal, WithoutOneABoxThatIsTypedIntoIsRefused) {
  const auto refused = twinbox({"run", "-it", "--rm", "busybox", "true"});
  EXPECT_EQ(refused.status, 125);
  EXPECT_NE(refused.err.find("the input device is not a TTY"), std::string::npos) << refused.err;
  EXPECT_EQ(twinbox({"run", "-t", "--rm", "busybox", "echo", "shown"}).out, "shown\r\n")
      << "one that is only looked at is not";
}

}  // namespace
}  // namespace twinbox::testing
