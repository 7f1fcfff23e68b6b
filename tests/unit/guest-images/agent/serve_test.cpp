// The agent's --serve mode over a socket pair, driven by the host's session: no machine needed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <thread>

#include "base/file.hpp"
#include "base/json.hpp"
#include "base/syscall.hpp"
#include "sandbox/agent_session.hpp"
#include "sandbox/protocol.hpp"

namespace twinbox {
namespace {

using testing::HasSubstr;

// Generous: the machine may be busy; every wait ends as soon as its condition holds.
constexpr std::chrono::seconds deadline{60};

// The program itself, connected by a socket that it inherits.
class AgentProcess {
 public:
  AgentProcess() {
    auto [ours, agents] = base::make_socket_pair();
    stream = std::move(ours);
    base::set_cloexec(agents.get(), false);
    const std::string port = "fd:" + std::to_string(agents.get());
    std::array<const char*, 4> argv{TWINBOX_AGENT, "--serve", port.c_str(), nullptr};
    EXPECT_EQ(0, ::posix_spawn(&pid, argv[0], nullptr, nullptr,
                               const_cast<char* const*>(argv.data()), environ));
  }
  AgentProcess(const AgentProcess&) = delete;
  AgentProcess& operator=(const AgentProcess&) = delete;
  ~AgentProcess() {
    stream.reset();
    if (pid > 0) wait_for_end();
  }

  int wait_for_end() { return base::shell_status(base::wait_for(std::exchange(pid, -1))); }

  base::Fd stream;
  pid_t pid = -1;
};

bool run_until(base::EventLoop& loop, const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + deadline;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    loop.run_once(std::chrono::milliseconds(100));
  }
  return true;
}

class AgentServe : public testing::Test {
 protected:
  sandbox::AgentSession& session() {
    if (!session_) {
      session_.emplace(loop, std::move(agent.stream),
                       sandbox::SessionHandlers{.on_log = [this](auto text) { log += text; }});
    }
    return *session_;
  }

  base::Fd file(const std::string& name, int flags = O_RDWR | O_CREAT) {
    return base::open_file(directory.path() / name, flags);
  }
  std::string text(const std::string& name) { return base::read_file(directory.path() / name); }

  // Runs a shell command with stdin from `in`; its output lands in the files "out" and "err".
  sandbox::Outcome run(const std::vector<std::string>& args, int in = -1) {
    const auto out = file("out", O_RDWR | O_CREAT | O_TRUNC);
    const auto err = file("err", O_RDWR | O_CREAT | O_TRUNC);
    std::optional<sandbox::Outcome> result;
    session().start_command({.args = args}, {in, out.get(), err.get()},
                            {.on_end = [&](const auto& outcome) { result = outcome; }});
    EXPECT_TRUE(run_until(loop, [&] { return result.has_value(); }));
    return result.value_or(sandbox::Outcome{.status = -1, .oom_killed = false, .error = {}});
  }
  sandbox::Outcome shell(const std::string& script, int in = -1) {
    return run({"sh", "-c", script}, in);
  }

  base::TemporaryDirectory directory;
  base::EventLoop loop;
  AgentProcess agent;
  std::string log;

 private:
  std::optional<sandbox::AgentSession> session_;
};

std::string pattern(std::size_t size) {
  std::string bytes(size, '\0');
  std::uint32_t state = 12345;
  for (auto& c : bytes) c = static_cast<char>((state = state * 1664525U + 1013904223U) >> 24);
  return bytes;
}

TEST_F(AgentServe, KeepsStreamsApartAndReportsTheStatus) {
  const auto outcome = shell("echo out; echo err >&2; exit 7");

  EXPECT_EQ(7, outcome.status);
  EXPECT_FALSE(outcome.error);
  EXPECT_EQ("out\n", text("out"));
  EXPECT_EQ("err\n", text("err"));
}

// As where a machine is saved: nothing is said in between by either side, and nothing is lost.
TEST_F(AgentServe, SaysNothingBetweenFreezeAndGoOn) {
  const auto out = file("out", O_RDWR | O_CREAT | O_TRUNC);
  const auto go = (directory.path() / "go").string();
  const auto mark = (directory.path() / "mark").string();
  std::optional<sandbox::Outcome> outcome;
  session().start_command({.args = {"sh", "-c",
                                    fmt::format("until [ -e {} ]; do sleep 0.01; done; echo out; "
                                                "echo done >{}",
                                                go, mark)}},
                          {-1, out.get(), -1}, {.on_end = [&](const auto& end) { outcome = end; }});
  bool frozen = false;
  session().freeze([&](const auto&) { frozen = true; });
  ASSERT_TRUE(run_until(loop, [&] { return frozen; }));
  std::optional<sandbox::Outcome> later;
  session().start_command({.args = {"true"}}, {-1, -1, -1},
                          {.on_end = [&](const auto& end) { later = end; }});
  base::write_file(go, "");
  ASSERT_TRUE(run_until(loop, [&] { return std::filesystem::exists(mark); }));
  loop.run_once(std::chrono::milliseconds(50));
  EXPECT_FALSE(outcome || later);
  EXPECT_EQ("", text("out"));

  session().go_on();

  ASSERT_TRUE(run_until(loop, [&] { return outcome && later; }));
  EXPECT_EQ("out\n", text("out"));
}

// What /proc/PID/smaps says of the mapping that begins at `address`.
std::string mapping_of(pid_t pid, const std::string& address) {
  const auto smaps = base::read_file(fmt::format("/proc/{}/smaps", pid));
  const auto start = smaps.find(address + "-");
  if (start == std::string::npos) return {};
  return smaps.substr(start, smaps.find("VmFlags", start) - start);
}

TEST_F(AgentServe, FreezesWithItsCodeInOneHugePageAndGoesOn) {
  constexpr const char* code = "00400000";
  EXPECT_EQ(0, shell("true").status);
  if (mapping_of(agent.pid, code).empty()) GTEST_SKIP() << "the agent is not linked for it";
  for (int i = 0; i < 2; ++i) {
    bool frozen = false;
    session().freeze([&](const auto&) { frozen = true; });
    ASSERT_TRUE(run_until(loop, [&] { return frozen; }));
    EXPECT_THAT(mapping_of(agent.pid, code), HasSubstr("AnonHugePages:      2048 kB"));
    EXPECT_THAT(mapping_of(agent.pid, code), HasSubstr(" r-xp "));
    session().go_on();
    EXPECT_EQ(7, shell("exit 7").status);
  }
}

TEST_F(AgentServe, RunsCommandsOneAfterTheOther) {
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(i, shell("echo " + std::to_string(i) + "; exit " + std::to_string(i)).status);
    EXPECT_EQ(std::to_string(i) + "\n", text("out"));
  }
}

TEST_F(AgentServe, TellsAMissingProgramFromOneThatCannotRun) {
  const auto missing = run({"no-such-program"});
  EXPECT_EQ(127, missing.status);
  ASSERT_TRUE(missing.error);
  EXPECT_THAT(missing.error->message(), HasSubstr("no-such-program"));

  EXPECT_EQ(127, run({"/no/such/program"}).status);
  EXPECT_EQ(126, run({"/etc/passwd"}).status);
}

TEST_F(AgentServe, ReportsADeathBySignalAsAShellDoes) {
  EXPECT_EQ(128 + SIGKILL, shell("kill -KILL $$").status);
}

TEST_F(AgentServe, ForwardsASignal) {
  const auto [out_read, out_write] = base::make_pipe();
  std::optional<sandbox::Outcome> result;
  const auto id = session().start_command(
      {.args = {"sh", "-c", "trap 'exit 42' TERM; echo ready; while :; do sleep 0.05; done"}},
      {-1, out_write.get(), -1}, {.on_end = [&](const auto& outcome) { result = outcome; }});
  base::set_nonblocking(out_read.get(), true);
  std::array<std::byte, 64> buffer;
  ASSERT_TRUE(run_until(loop, [&] { return base::read_some(out_read.get(), buffer).has_value(); }));

  session().signal(id, SIGTERM);

  ASSERT_TRUE(run_until(loop, [&] { return result.has_value(); }));
  EXPECT_EQ(42, result->status);
}

TEST_F(AgentServe, CarriesTenMegabytesFromAFileThroughCat) {
  const auto bytes = pattern(10'000'000);
  base::write_file(directory.path() / "in", bytes);

  const auto outcome = run({"cat"}, file("in", O_RDONLY).get());

  EXPECT_EQ(0, outcome.status);
  EXPECT_TRUE(bytes == text("out"));
}

TEST_F(AgentServe, LosesNothingWhenTheConsumerIsSlow) {
  const auto bytes = pattern(10'000'000);
  auto [in_read, in_write] = base::make_pipe();
  auto [out_read, out_write] = base::make_pipe();
  std::string received;
  // A producer and a consumer as other programs would be: blocking, with stalls.
  std::jthread producer([&bytes, end = std::move(in_write)]() mutable {
    base::write_all(end.get(), bytes);
    end.reset();
  });
  std::jthread consumer([&received, end = std::move(out_read)] {
    std::array<std::byte, 20000> buffer;
    while (const auto count = base::read_some(end.get(), buffer).value_or(0)) {
      received.append(reinterpret_cast<const char*>(buffer.data()), count);
      if (received.size() % 7 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  });
  std::optional<sandbox::Outcome> result;
  session().start_command({.args = {"cat"}}, {in_read.get(), out_write.get(), -1},
                          {.on_end = [&](const auto& outcome) { result = outcome; }});

  ASSERT_TRUE(run_until(loop, [&] { return result.has_value(); }));
  out_write.reset();
  consumer.join();

  EXPECT_EQ(0, result->status);
  EXPECT_TRUE(bytes == received);
}

TEST_F(AgentServe, AStalledConsumerDoesNotHoldUpAnotherProcess) {
  const auto [out_read, out_write] = base::make_pipe();
  bool ended = false;
  const auto id = session().start_command({.args = {"yes"}}, {-1, out_write.get(), -1},
                                          {.on_end = [&](const auto&) { ended = true; }});

  EXPECT_EQ(3, shell("echo beside; exit 3").status);
  EXPECT_EQ("beside\n", text("out"));
  EXPECT_FALSE(ended);
  session().signal(id, SIGKILL);
}

TEST_F(AgentServe, EndsAWriterWhoseConsumerIsGone) {
  auto [out_read, out_write] = base::make_pipe();
  std::optional<sandbox::Outcome> result;
  session().start_command({.args = {"yes"}}, {-1, out_write.get(), -1},
                          {.on_end = [&](const auto& outcome) { result = outcome; }});

  out_read.reset();

  ASSERT_TRUE(run_until(loop, [&] { return result.has_value(); }));
  EXPECT_EQ(128 + SIGPIPE, result->status);
}

TEST_F(AgentServe, StdinOfAnyKindEndsWhereItEnds) {
  const auto null = base::open_file("/dev/null", O_RDONLY);
  EXPECT_EQ(0, run({"cat"}, null.get()).status);
  EXPECT_EQ("", text("out"));
  EXPECT_EQ(0, run({"cat"}, -1).status);

  const auto here = base::open_file("/", O_RDONLY);
  EXPECT_EQ(0, run({"cat"}, here.get()).status);

  base::write_file(directory.path() / "lines", "one\ntwo\n");
  EXPECT_EQ(0, run({"cat"}, file("lines", O_RDONLY).get()).status);
  EXPECT_EQ("one\ntwo\n", text("out"));
}

TEST_F(AgentServe, DoesNotWaitForADescendantThatKeepsTheStreamsOpen) {
  const auto outcome = shell("sleep 1000 & echo $!; exit 5");

  EXPECT_EQ(5, outcome.status);
  ASSERT_NE("", text("out"));
  ::kill(std::stoi(text("out")), SIGKILL);
}

TEST_F(AgentServe, PassesEnvironmentAndDirectory) {
  std::optional<sandbox::Outcome> result;
  const auto out = file("out");
  session().start_command(
      {.args = {"/bin/sh", "-c", "echo $GREETING; pwd"}, .env = {"GREETING=hello"}, .cwd = "/usr"},
      {-1, out.get(), -1}, {.on_end = [&](const auto& outcome) { result = outcome; }});

  ASSERT_TRUE(run_until(loop, [&] { return result.has_value(); }));
  EXPECT_EQ("hello\n/usr\n", text("out"));
}

TEST_F(AgentServe, TellsTheMachinesMemory) {
  std::string answer;
  session().request_memory([&](std::string_view json) { answer = json; });

  ASSERT_TRUE(run_until(loop, [&] { return !answer.empty(); }));
  const auto json = base::parse_json(answer, "answer");
  EXPECT_GT(json.at("total_bytes"), 0);
  EXPECT_GE(json.at("total_bytes"), json.at("available_bytes"));
  EXPECT_GE(json.at("cpus"), 1);
}

TEST_F(AgentServe, RefusesToPowerOffAMachineThatIsNotItsOwn) {
  session().power_off();

  ASSERT_TRUE(run_until(loop, [&] { return !log.empty(); }));
  EXPECT_THAT(log, HasSubstr("does not own its machine"));
  EXPECT_EQ(0, shell("true").status);
}

TEST_F(AgentServe, TheSessionTellsTheLossOfTheAgent) {
  std::optional<sandbox::Outcome> result;
  bool started = false;
  session().start_command({.args = {"sleep", "1000"}}, {-1, -1, -1},
                          {.on_started = [&] { started = true; },
                           .on_end = [&](const auto& outcome) { result = outcome; }});
  ASSERT_TRUE(run_until(loop, [&] { return started; }));

  ::kill(agent.pid, SIGKILL);

  ASSERT_TRUE(run_until(loop, [&] { return result.has_value(); }));
  EXPECT_EQ(125, result->status);
  ASSERT_TRUE(result->error);
  EXPECT_THAT(result->error->message(), HasSubstr("closed the connection"));
}

TEST(AgentAlone, KillsWhatItStartedWhenItsHostGoes) {
  AgentProcess agent;
  auto [out_read, out_write] = base::make_pipe();
  {
    base::EventLoop loop;
    sandbox::AgentSession session(loop, std::move(agent.stream), {});
    // The descendant of the command holds the pipe too: the end of file tells that all are gone.
    session.start_command({.args = {"sh", "-c", "echo started; sleep 1000 & wait"}},
                          {-1, out_write.get(), -1}, {});
    base::set_nonblocking(out_read.get(), true);
    std::array<std::byte, 64> buffer;
    ASSERT_TRUE(
        run_until(loop, [&] { return base::read_some(out_read.get(), buffer).has_value(); }));
  }
  EXPECT_EQ(0, agent.wait_for_end());
  out_write.reset();
  base::set_nonblocking(out_read.get(), false);
  base::read_to_end(out_read.get());
}

// What a broken or hostile host may send: the agent ends, neither hanging nor crashing.
class BadFrames : public testing::TestWithParam<std::string> {};

TEST_P(BadFrames, EndTheAgent) {
  AgentProcess agent;
  base::write_all(agent.stream.get(), GetParam());
  ::shutdown(agent.stream.get(), SHUT_WR);

  const auto said = base::read_to_end(agent.stream.get());

  EXPECT_THAT(said, HasSubstr(fmt::format("\"protocol\":{}", sandbox::protocol::version)));
  EXPECT_EQ(0, agent.wait_for_end());
}

std::string frame(sandbox::protocol::FrameType type, std::uint32_t process,
                  const std::string& payload) {
  return sandbox::protocol::encode(type, process, payload);
}

using sandbox::protocol::FrameType;
INSTANTIATE_TEST_SUITE_P(
    All, BadFrames,
    testing::Values(std::string("\x01\x00", 2), std::string(16, '\xff'), std::string(64, '\0'),
                    frame(FrameType::start_command, 1, "{\"args\": [\"cat\"]}").substr(0, 20),
                    frame(FrameType::start_command, 1, "{\"args\": 7}"),
                    frame(FrameType::start_command, 1, "not json"),
                    frame(FrameType::start_box, 1, "{}"), frame(FrameType::signal, 0, ""),
                    frame(FrameType::start_command, 1, "{\"args\":[\"cat\"]}") +
                        frame(FrameType::start_command, 1, "{\"args\":[\"cat\"]}"),
                    frame(FrameType::start_command, 1, "{\"args\":[\"cat\"]}") +
                        frame(FrameType::credit, 1, std::string("\x01\0\0\0\xff\xff\xff\xff", 8)),
                    frame(FrameType::start_command, 1, "{\"args\":[\"cat\"]}") +
                        frame(FrameType::credit, 1, "x"),
                    frame(FrameType::go_on, 0, "x")));

}  // namespace
}  // namespace twinbox
