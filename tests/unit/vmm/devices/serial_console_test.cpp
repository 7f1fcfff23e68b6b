#include "vmm/devices/serial_console.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

#include "base/file.hpp"
#include "base/syscall.hpp"
#include "tests/unit/vmm/devices/bus_access.hpp"

namespace twinbox::vmm {
namespace {

using std::chrono::milliseconds;

class SerialConsoleTest : public testing::Test {
 protected:
  // Turns the loop until the condition holds.
  bool await(const std::function<bool()>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!condition()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      loop_.run_once(milliseconds(20));
    }
    return true;
  }
  static void print(SerialConsole& console, std::string_view text) {
    for (const char c : text) out(console.bus_device(), 0, static_cast<unsigned char>(c));
  }
  // What the guest's driver reads by polling.
  static std::string read_all(SerialConsole& console) {
    std::string text;
    while ((in(console.bus_device(), 5) & 0x01) != 0) {
      text.push_back(static_cast<char>(in(console.bus_device(), 0)));
    }
    return text;
  }
  static std::string take(int fd) {
    std::string text(1 << 16, '\0');
    text.resize(base::read_some(fd, std::as_writable_bytes(std::span(text))).value_or(0));
    return text;
  }

  base::EventLoop loop_;
};

TEST_F(SerialConsoleTest, OutputReachesAPipe) {
  auto [read_end, write_end] = base::make_pipe();
  base::set_nonblocking(read_end.get(), true);
  SerialConsole console(loop_, [] {}, {.output = write_end.get()});
  print(console, "Linux version 6.1\n");
  std::string seen;
  EXPECT_TRUE(await([&] { return (seen += take(read_end.get())) == "Linux version 6.1\n"; }));
}

TEST_F(SerialConsoleTest, OutputReachesASocketAndAFile) {
  auto [ours, theirs] = base::make_socket_pair();
  base::set_nonblocking(ours.get(), true);
  const base::TemporaryDirectory directory;
  const auto path = directory.path() / "console.log";
  const base::Fd file = base::open_file(path, O_RDWR | O_CREAT);
  SerialConsole to_socket(loop_, [] {}, {.output = theirs.get()});
  SerialConsole to_file(loop_, [] {}, {.output = file.get()});
  print(to_socket, "socket\n");
  print(to_file, "file\n");
  std::string seen;
  EXPECT_TRUE(await([&] { return (seen += take(ours.get())) == "socket\n"; }));
  to_file.flush();
  EXPECT_EQ(base::read_file(path), "file\n");
}

TEST_F(SerialConsoleTest, SharedPipeKeepsItsBlockingMode) {
  auto [read_end, write_end] = base::make_pipe();
  const SerialConsole console(loop_, [] {}, {.output = write_end.get()});
  EXPECT_EQ(::fcntl(write_end.get(), F_GETFL) & O_NONBLOCK, 0);
}

TEST_F(SerialConsoleTest, FlushWritesWhatTheLoopHasNot) {
  auto [read_end, write_end] = base::make_pipe();
  SerialConsole console(loop_, [] {}, {.output = write_end.get()});
  print(console, "last words");
  console.flush();
  EXPECT_EQ(take(read_end.get()), "last words");
}

// A reader that stalls: the guest sees a busy transmitter, nothing blocks, no byte is lost.
TEST_F(SerialConsoleTest, StalledReaderHoldsTheTransmitterAndLosesNothing) {
  auto [read_end, write_end] = base::make_pipe();
  base::set_nonblocking(read_end.get(), true);
  int interrupts = 0;
  SerialConsole console(loop_, [&] { ++interrupts; }, {.output = write_end.get()});
  std::string sent;
  const auto busy = [&] { return (in(console.bus_device(), 5) & 0x20) == 0; };
  for (bool stuck = false; !stuck; stuck = busy()) {
    while (!busy()) {
      print(console, "0123456789abcde\n");
      sent += "0123456789abcde\n";
    }
    ASSERT_LT(sent.size(), 8U << 20);  // far more than pipe and buffers hold
    while (loop_.run_once(milliseconds(20))) {
    }
  }
  ASSERT_TRUE(busy());
  out(console.bus_device(), 1, 0x02);
  interrupts = 0;
  std::string seen;
  EXPECT_TRUE(await([&] { return (seen += take(read_end.get())).size() >= sent.size(); }));
  EXPECT_EQ(seen, sent);
  EXPECT_FALSE(busy());
  EXPECT_GE(interrupts, 1);
}

TEST_F(SerialConsoleTest, ReaderThatIsGoneDoesNotStallTheGuest) {
  auto [ours, theirs] = base::make_socket_pair();
  SerialConsole console(loop_, [] {}, {.output = theirs.get()});
  ours.reset();
  for (int i = 0; i < 20; ++i) {
    print(console, std::string(16 << 10, 'x'));
    console.flush();
  }
  EXPECT_NE(in(console.bus_device(), 5) & 0x20, 0);
}

TEST_F(SerialConsoleTest, InputReachesTheGuestOnceItListens) {
  auto [read_end, write_end] = base::make_pipe();
  int interrupts = 0;
  SerialConsole console(loop_, [&] { ++interrupts; }, {.input = read_end.get()});
  base::write_all(write_end.get(), "typed early\n");
  while (loop_.run_once(milliseconds(10))) {
  }
  EXPECT_EQ(read_all(console), "");
  out(console.bus_device(), 1, 0x01);
  std::string seen;
  EXPECT_TRUE(await([&] { return (seen += read_all(console)) == "typed early\n"; }));
  EXPECT_GE(interrupts, 1);
}

TEST_F(SerialConsoleTest, LongInputArrivesWholeAndItsEndIsQuiet) {
  auto [read_end, write_end] = base::make_pipe();
  SerialConsole console(loop_, [] {}, {.input = read_end.get()});
  out(console.bus_device(), 1, 0x01);
  std::string sent;
  for (int i = 0; i < 2000; ++i) sent += std::to_string(i) + "\n";
  base::write_all(write_end.get(), sent);
  write_end.reset();
  std::string seen;
  EXPECT_TRUE(await([&] { return (seen += read_all(console)).size() >= sent.size(); }));
  EXPECT_EQ(seen, sent);
  // The end of input must not keep the loop busy.
  while (loop_.run_once(milliseconds(0))) {
  }
  EXPECT_FALSE(loop_.run_once(milliseconds(50)));
}

TEST_F(SerialConsoleTest, InputMayBeARegularFileOrNull) {
  const base::TemporaryDirectory directory;
  const auto path = directory.path() / "script";
  const std::string script(1000, 's');
  base::write_file(path, script);
  const base::Fd file = base::open_file(path, O_RDONLY);
  const base::Fd null = base::open_file("/dev/null", O_RDONLY);
  SerialConsole console(loop_, [] {}, {.input = file.get()});
  const SerialConsole silent(loop_, [] {}, {.input = null.get()});
  out(console.bus_device(), 1, 0x01);
  std::string seen;
  EXPECT_TRUE(await([&] { return (seen += read_all(console)).size() >= script.size(); }));
  EXPECT_EQ(seen, script);
}

TEST_F(SerialConsoleTest, LastLinesAreKeptWithoutAnyDescriptor) {
  SerialConsole console(loop_, [] {}, {});
  print(console, "one\r\ntwo\r\nKernel panic");
  EXPECT_EQ(console.last_lines(), (std::vector<std::string>{"one", "two", "Kernel panic"}));
  console.flush();
}

}  // namespace
}  // namespace twinbox::vmm
