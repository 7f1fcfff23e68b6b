// What a lab that dies leaves to say, with an agent that the test plays.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/syscall.hpp"
#include "qemu/lab/command.hpp"
#include "sandbox/protocol.hpp"

namespace twinbox::qemu {
namespace {

namespace protocol = sandbox::protocol;
using protocol::FrameType;

void say(int agent, FrameType type, std::uint32_t process, std::string_view payload) {
  base::write_all(agent, protocol::encode(type, process, payload));
}

// Reads on until the command with this number is asked for.
void wait_for_command(int agent, protocol::Decoder& decoder, std::uint32_t wanted) {
  std::array<std::byte, 4096> buffer;
  bool asked = false;
  while (!asked) {
    const auto count = base::read_some(agent, buffer).value_or(0);
    if (count == 0) return;
    decoder.feed(std::span(buffer).first(count), [&](const protocol::Frame& frame) {
      asked |= frame.type == FrameType::start_command && frame.process == wanted;
    });
  }
}

// Of a command whose lab dies as soon as it has started the `last` of the command's processes.
std::string error_of_a_dying_lab(std::uint32_t last, LabCommand command) {
  const base::Fd log(::memfd_create("log", MFD_CLOEXEC));
  base::write_all(log.get(), "Kernel panic\n");
  const base::Fd null_fd = base::open_file("/dev/null", O_RDWR);
  command.stdio = {null_fd.get(), null_fd.get(), null_fd.get()};
  auto [ours, theirs] = base::make_socket_pair();
  const std::jthread agent([last, socket = std::move(theirs)] {
    protocol::Decoder decoder;
    say(socket.get(), FrameType::hello, 0, R"({"protocol": 4, "kernel": "6.1"})");
    for (std::uint32_t process = 1; process <= last; ++process) {
      wait_for_command(socket.get(), decoder, process);
      say(socket.get(), FrameType::started, process, "");
      if (process < last) say(socket.get(), FrameType::exited, process, R"({"status": 0})");
    }
  });
  try {
    run_through_agent(std::move(ours), log.get(), command, std::chrono::seconds(20));
  } catch (const base::Error& error) {
    return error.message();
  }
  return "none";
}

void expect_reason_and_last_lines(const std::string& error) {
  EXPECT_NE(error.find("closed the connection"), std::string::npos) << error;
  EXPECT_NE(error.find("last lines:\nKernel panic"), std::string::npos) << error;
}

TEST(AgentCommand, ShowsTheLastLinesOfALabThatDiesDuringIt) {
  expect_reason_and_last_lines(
      error_of_a_dying_lab(1, {.args = {"sleep"}, .env = {}, .out = {}, .stdio = {}}));
}

TEST(AgentCommand, ShowsTheLastLinesOfALabThatDiesBeforeItHasSentItsFiles) {
  const base::TemporaryDirectory out;
  expect_reason_and_last_lines(
      error_of_a_dying_lab(2, {.args = {"true"}, .env = {}, .out = out.path(), .stdio = {}}));
}

}  // namespace
}  // namespace twinbox::qemu
