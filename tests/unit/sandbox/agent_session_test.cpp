// The host's session against an agent that says what the test wants: most of all, what it should
// not.
#include "sandbox/agent_session.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <chrono>
#include <optional>

#include "base/syscall.hpp"
#include "sandbox/protocol.hpp"

namespace twinbox::sandbox {
namespace {

using protocol::encode;
using protocol::FrameType;
using testing::HasSubstr;

constexpr std::chrono::seconds deadline{60};

class FakeAgent : public testing::Test {
 protected:
  FakeAgent() {
    auto [ours, agents] = base::make_socket_pair();
    agent = std::move(agents);
    session.emplace(loop, std::move(ours),
                    SessionHandlers{.on_log = [this](auto text) { log.emplace_back(text); },
                                    .on_lost = [this](const auto& error) { lost = error; }});
  }

  void start(Stdio stdio = {-1, -1, -1}) {
    session->start_command({.args = {"program"}}, stdio,
                           {.on_end = [this](const auto& result) { outcome = result; }});
  }
  // More than a socket holds is taken by the session meanwhile; one that cuts us off takes no more.
  void say(std::string_view frames) {
    while (!frames.empty()) {
      const auto count =
          ::send(agent.get(), frames.data(), frames.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
      if (count > 0) frames.remove_prefix(static_cast<std::size_t>(count));
      if (count < 0 && errno != EAGAIN) return;
      if (count < 0) loop.run_once(std::chrono::milliseconds(10));
    }
  }
  void hello() { say(encode(FrameType::hello, 0, "{\"protocol\":4, \"kernel\": \"6.1\"}")); }
  void run_until(const std::function<bool()>& condition) {
    const auto end = std::chrono::steady_clock::now() + deadline;
    while (!condition() && std::chrono::steady_clock::now() < end) {
      loop.run_once(std::chrono::milliseconds(100));
    }
    ASSERT_TRUE(condition());
  }

  base::EventLoop loop;
  base::Fd agent;
  std::optional<AgentSession> session;
  std::vector<std::string> log;
  std::optional<base::Error> lost;
  std::optional<Outcome> outcome;
};

TEST_F(FakeAgent, ThatGoesBeforeItHasReadAllHasClosedTheConnection) {
  hello();
  start();
  agent.reset();
  run_until([&] { return lost.has_value(); });
  EXPECT_THAT(lost->message(), HasSubstr("closed the connection"));
}

TEST_F(FakeAgent, WhoseOutputCannotBeWrittenHasNoSuccess) {
  const auto full = base::open_file("/dev/full", O_WRONLY);
  hello();
  for (const int status : {0, 3}) {
    outcome.reset();
    start({-1, full.get(), -1});
    const auto id = static_cast<std::uint32_t>(status == 0 ? 1 : 2);
    say(encode(FrameType::started, id, "") + encode(FrameType::stdout_data, id, "lost") +
        encode(FrameType::exited, id,
               fmt::format("{{\"status\": {}, \"oom_killed\": false}}", status)));
    run_until([&] { return outcome.has_value(); });
    EXPECT_EQ(outcome->status, status == 0 ? status_own_error : status);
    ASSERT_EQ(outcome->error.has_value(), status == 0);
    if (outcome->error) {
      EXPECT_THAT(outcome->error->message(), HasSubstr("No space left"));
    }
  }
}

TEST_F(FakeAgent, WhoseReaderIsGoneEndsAsItDoes) {
  auto [out_read, out_write] = base::make_pipe();
  out_read.reset();
  start({-1, out_write.get(), -1});
  hello();
  say(encode(FrameType::started, 1, "") + encode(FrameType::stdout_data, 1, "for nobody") +
      encode(FrameType::exited, 1, "{\"status\": 0, \"oom_killed\": false}"));
  run_until([&] { return outcome.has_value(); });
  EXPECT_EQ(outcome->status, 0);
  EXPECT_FALSE(outcome->error);
}

TEST_F(FakeAgent, ToldTheStatusAfterTheLastByte) {
  auto [out_read, out_write] = base::make_pipe();
  start({-1, out_write.get(), -1});
  out_write.reset();
  hello();
  say(encode(FrameType::started, 1, "") + encode(FrameType::stdout_data, 1, "all of it") +
      encode(FrameType::exited, 1, "{\"status\": 9, \"oom_killed\": true}"));

  run_until([&] { return outcome.has_value(); });

  EXPECT_EQ(9, outcome->status);
  EXPECT_TRUE(outcome->oom_killed);
  EXPECT_EQ("all of it", base::read_to_end(out_read.get()));
  EXPECT_FALSE(lost);
}

// A pipe holds 64 KiB, so the end cannot be told while more than that is missing.
TEST_F(FakeAgent, WaitsForAStalledConsumerBeforeItTellsTheEnd) {
  auto [out_read, out_write] = base::make_pipe();
  start({-1, out_write.get(), -1});
  out_write.reset();
  hello();
  const std::string bytes(200'000, 'x');  // more than a pipe holds
  say(encode(FrameType::stdout_data, 1, bytes) + encode(FrameType::exited, 1, "{\"status\": 0}"));
  std::string received;
  std::array<std::byte, 4096> buffer;
  run_until([&] {
    if (received.size() < bytes.size()) {
      EXPECT_FALSE(outcome && received.size() + 65536 < bytes.size())
          << "after " << received.size() << " bytes";
      base::set_nonblocking(out_read.get(), true);
      const auto count = base::read_some(out_read.get(), buffer);
      if (count) received.append(reinterpret_cast<const char*>(buffer.data()), *count);
    }
    return outcome.has_value() && received.size() == bytes.size();
  });

  EXPECT_TRUE(bytes == received);
}

TEST_F(FakeAgent, MayBeDestroyedByTheEndOfItsProcess) {
  session->start_command({.args = {"program"}}, {-1, -1, -1},
                         {.on_end = [this](const auto& result) {
                           session.reset();
                           outcome = result;
                         }});
  hello();
  say(encode(FrameType::exited, 1, "{\"status\": 0}") + encode(FrameType::log, 0, "more"));

  run_until([&] { return outcome.has_value(); });

  EXPECT_FALSE(session);
}

TEST_F(FakeAgent, TellsWhyAProcessNeverRan) {
  start();
  hello();
  say(encode(FrameType::failed, 1,
             "{\"status\": 127, \"message\": \"no such\\u001b[31m program\", \"hint\": \"try\"}"));

  run_until([&] { return outcome.has_value(); });

  EXPECT_EQ(127, outcome->status);
  ASSERT_TRUE(outcome->error);
  EXPECT_EQ("no such?[31m program", outcome->error->message());
  EXPECT_EQ("try", outcome->error->hint());
}

TEST_F(FakeAgent, LogLinesAreMadePrintableAndAreBounded) {
  hello();
  std::string frames = encode(FrameType::log, 0,
                              "a\x1b]0;title\x07"
                              "b\n");
  frames += encode(FrameType::log, 0, std::string(100'000, 'l'));
  for (int i = 0; i < 1000; ++i) frames += encode(FrameType::log, 0, "again");
  say(frames);
  agent.reset();

  run_until([&] { return lost.has_value(); });

  ASSERT_GE(log.size(), 2U);
  EXPECT_EQ("a?]0;title?b", log[0]);
  EXPECT_LE(log[1].size(), 1024U);
  EXPECT_LE(log.size(), 200U);
}

TEST_F(FakeAgent, AnotherProtocolVersionIsNamed) {
  start();
  say(encode(FrameType::hello, 0, "{\"protocol\": 99}"));

  run_until([&] { return lost.has_value(); });

  EXPECT_THAT(lost->message(), HasSubstr("99"));
  EXPECT_EQ(125, outcome->status);
}

TEST_F(FakeAgent, WhatIsStartedAfterTheLossEndsAtOnce) {
  agent.reset();
  run_until([&] { return lost.has_value(); });

  start();

  run_until([&] { return outcome.has_value(); });
  EXPECT_EQ(125, outcome->status);
}

std::string fields(std::uint32_t first, std::uint32_t second) {
  std::string payload;
  protocol::append_u32(payload, first);
  protocol::append_u32(payload, second);
  return payload;
}

// Each ends the session with an error, and the process with status 125.
class HostileAgent : public FakeAgent, public testing::WithParamInterface<std::string> {};

TEST_P(HostileAgent, IsCutOff) {
  start();
  hello();
  say(GetParam());

  run_until([&] { return lost.has_value(); });

  ASSERT_TRUE(outcome);
  EXPECT_EQ(125, outcome->status);
  ASSERT_TRUE(outcome->error);
  EXPECT_THAT(lost->message(), HasSubstr("the agent"));
}

INSTANTIATE_TEST_SUITE_P(
    Messages, HostileAgent,
    testing::Values(
        std::string(16, '\xff'), encode(FrameType::hello, 0, "{\"protocol\":4}"),
        encode(FrameType::stdout_data, 2, "of a process that never was"),
        encode(FrameType::started, 1, "") + encode(FrameType::started, 1, ""),
        encode(FrameType::stdout_data, 1, std::string(protocol::stream_window + 1, 'x')),
        encode(FrameType::credit, 1, fields(0, 1)), encode(FrameType::credit, 1, fields(1, 1)),
        encode(FrameType::credit, 1, "x"), encode(FrameType::stream_closed, 1, ""),
        encode(FrameType::stream_closed, 1, fields(2, 0)), encode(FrameType::memory, 0, "{}"),
        encode(FrameType::exited, 1, ""), encode(FrameType::exited, 1, "{\"status\": 256}"),
        encode(FrameType::exited, 1, "{\"status\": 1e999}"), encode(FrameType::exited, 1, "[[[[[["),
        encode(FrameType::exited, 1, "{\"status\": \"0\"}"),
        encode(FrameType::failed, 1, "{\"status\": 0, \"message\": \"\"}"),
        encode(FrameType::start_command, 1, "{}"), encode(FrameType::power_off, 0, "")));

TEST_F(FakeAgent, WhoseAnswerHasVeryManyLevelsIsCutOff) {
  std::optional<std::variant<std::string, base::Error>> answer;
  hello();
  start();
  session->request(1, "{}", [&](const auto& told) { answer = told; });
  std::string payload;
  protocol::append_u32(payload, 1);
  payload += R"({"value":)" + std::string(500'000, '[') + std::string(500'000, ']') + "}";
  say(encode(FrameType::reply, 1, payload));

  run_until([&] { return lost.has_value(); });

  EXPECT_THAT(lost->message(), HasSubstr("very many levels"));
}

}  // namespace
}  // namespace twinbox::sandbox
