// `twinbox boot` as a user meets it.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>
#include <utmp.h>

#include <array>
#include <csignal>
#include <filesystem>

#include "base/file.hpp"
#include "base/size.hpp"
#include "base/syscall.hpp"
#include "tests/native/cli/command.hpp"
#include "tests/unit/vmm/boot/test_kernel.hpp"
#include "vmm/kvm/host_support.hpp"

namespace twinbox::vmm {
namespace {

using testing::Command;
using testing::CommandResult;
using Words = std::vector<std::string>;

const std::string guest = TEST_GUESTS "/bare-metal";

class BootCommand : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto host = kvm::probe_host();
    if (!host.runs_bare_metal()) GTEST_SKIP() << host.explanation;
  }

  // `boot` of the bare-metal guest with a scenario.
  static Words scenario(const std::string& name) {
    return {"boot", "--allow-emulated-kvm", "--kernel", guest, "--memory", "8m", "--cmdline", name};
  }
  CommandResult boot(const Words& args, std::string input = {}) const {
    return Command(TWINBOX_PROGRAM, args, variables(), std::move(input)).finish();
  }
  // What is said of a kernel or of other flags that are no good.
  std::string refusal(const Words& flags) const {
    Words args{"boot", "--allow-emulated-kvm"};
    args.insert(args.end(), flags.begin(), flags.end());
    const auto result = boot(args);
    EXPECT_EQ(result.status, 125) << result.out;
    return result.err;
  }
  Words variables() const { return {"TWINBOX_ROOT=" + scratch("root")}; }
  std::string scratch(const std::string& name) const { return (directory_.path() / name).string(); }

  base::TemporaryDirectory directory_;
};

::testing::AssertionResult mentions(const std::string& text, const std::string& part) {
  if (text.find(part) != std::string::npos) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << "'" << text << "' does not mention '" << part << "'";
}

TEST_F(BootCommand, PrintsWhatTheGuestPrints) {
  const auto result = boot(scenario("hello"));
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(result.out, "hello from bare metal\n");
  EXPECT_EQ(result.err, "");
}

TEST_F(BootCommand, PassesStandardInput) {
  const auto result = boot(scenario("echo"), "piped in.");
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(result.out, "ready\npiped in.");
}

TEST_F(BootCommand, ReportsMarksAndExitsWhenAsked) {
  auto args = scenario("marks");
  args.emplace_back("--report");
  const auto result = boot(args);
  EXPECT_TRUE(mentions(result.err, "\"booted\":"));
  EXPECT_TRUE(mentions(result.err, "3 mmio"));
}

TEST_F(BootCommand, ExplainsAGuestThatFell) {
  const auto result = boot(scenario("fault"));
  EXPECT_EQ(result.status, 125);
  EXPECT_TRUE(mentions(result.err, "triple fault"));
  EXPECT_TRUE(mentions(result.err, "hint: "));
}

TEST_F(BootCommand, WithoutHardwareVirtualizationNamesTheLab) {
  if (kvm::probe_host().kind != kvm::HostKind::emulated) {
    GTEST_SKIP() << "this host has hardware virtualization";
  }
  const auto result = boot({"boot", "--kernel", guest});
  EXPECT_EQ(result.status, 125);
  EXPECT_TRUE(mentions(result.err, "neither VT-x nor SVM"));
  EXPECT_TRUE(mentions(result.err, "twinbox lab exec"));
  EXPECT_EQ(result.out, "");
}

TEST_F(BootCommand, NamesWhatIsWrongWithItsFiles) {
  base::write_file(scratch("text"), "no kernel\n");
  base::write_file(scratch("short"), boot::TestKernel().file().substr(0, 5000));
  base::write_file(scratch("initrd"), std::string(16 * base::mebibyte, 'i'));
  EXPECT_TRUE(mentions(refusal({"--kernel", scratch("missing")}), scratch("missing")));
  EXPECT_TRUE(mentions(refusal({"--kernel", scratch("text")}), "is a text file"));
  EXPECT_TRUE(mentions(refusal({"--kernel", scratch("short")}), "truncated"));
  const auto initrd = refusal({"--kernel", guest, "--initrd", scratch("initrd"), "--memory", "8m"});
  EXPECT_TRUE(mentions(initrd, "16.0 MiB"));
}

TEST_F(BootCommand, NamesWhatIsWrongWithItsFlags) {
  EXPECT_TRUE(mentions(refusal({}), "--kernel"));
  EXPECT_TRUE(mentions(refusal({"--kernel", guest, "--memory", "1m"}), "1.0 MiB"));
  EXPECT_TRUE(mentions(refusal({"--kernel", guest, "--cpus", "9"}), "'9'"));
  EXPECT_TRUE(mentions(refusal({"--kernel", guest, "--disk", "/no/disk"}), "/no/disk"));
}

TEST_F(BootCommand, EndsByASignalAsOthersDo) {
  Command command(TWINBOX_PROGRAM, scenario("spin"), variables());
  command.wait_for_output("spinning");
  command.signal(SIGTERM);
  EXPECT_EQ(command.finish().status, 128 + SIGTERM);
}

// A user at a terminal.
class Terminal {
 public:
  explicit Terminal(const Words& args) {
    std::vector<char*> words{const_cast<char*>(TWINBOX_PROGRAM)};
    for (const auto& word : args) words.push_back(const_cast<char*>(word.c_str()));
    words.push_back(nullptr);
    int master = -1;
    int slave = -1;
    EXPECT_EQ(::openpty(&master, &slave, nullptr, nullptr, nullptr), 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::login_tty(slave);
      ::execv(TWINBOX_PROGRAM, words.data());
      ::_exit(127);
    }
    master_ = base::Fd(master);
    slave_ = base::Fd(slave);  // kept, so that its settings can be looked at after the end
  }
  ~Terminal() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }

  void type(const std::string& keys) { base::write_all(master_.get(), keys); }
  bool wait_for(const std::string& text) {
    while (screen_.find(text) == std::string::npos) {
      pollfd poll_fd{master_.get(), POLLIN, 0};
      if (::poll(&poll_fd, 1, 60'000) <= 0) return false;
      std::array<std::byte, 512> buffer{};
      const auto count = base::read_some(master_.get(), buffer).value_or(0);
      if (count == 0) return false;
      screen_.append(reinterpret_cast<const char*>(buffer.data()), count);
    }
    return true;
  }
  bool echoes() const {
    termios settings{};
    EXPECT_EQ(::tcgetattr(slave_.get(), &settings), 0);
    return (settings.c_lflag & ECHO) != 0;
  }
  int finish() {
    const int status = base::shell_status(base::wait_for(pid_));
    pid_ = -1;
    return status;
  }
  const std::string& screen() const { return screen_; }

 private:
  pid_t pid_ = -1;
  base::Fd master_;
  base::Fd slave_;
  std::string screen_;
};

TEST_F(BootCommand, GivesTheTerminalToTheGuestAndBack) {
  Terminal terminal(scenario("echo"));
  ASSERT_TRUE(terminal.wait_for("ready")) << terminal.screen();
  EXPECT_FALSE(terminal.echoes());
  terminal.type("keys.");
  EXPECT_TRUE(terminal.wait_for("keys.")) << terminal.screen();
  EXPECT_EQ(terminal.finish(), 0);
  EXPECT_TRUE(terminal.echoes());
}

TEST_F(BootCommand, EscapeEndsTheMachineAndRestoresTheTerminal) {
  Terminal terminal(scenario("spin"));
  ASSERT_TRUE(terminal.wait_for("spinning")) << terminal.screen();
  terminal.type("\x01x");
  EXPECT_EQ(terminal.finish(), 0);
  EXPECT_TRUE(terminal.echoes());
}

}  // namespace
}  // namespace twinbox::vmm
