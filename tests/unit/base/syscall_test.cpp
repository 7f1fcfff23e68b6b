#include "base/syscall.hpp"

#include <gtest/gtest.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

#include "base/error.hpp"
#include "base/file.hpp"

namespace twinbox::base {
namespace {

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

TEST(Syscall, PipesCarryBytesUntilTheWriterCloses) {
  auto [reader, writer] = make_pipe();
  write_all(writer.get(), "hello");
  writer.reset();
  EXPECT_EQ(read_to_end(reader.get()), "hello");
}

TEST(Syscall, NonBlockingReadsTellEmptyFromEnd) {
  auto [reader, writer] = make_pipe();
  set_nonblocking(reader.get(), true);
  std::array<std::byte, 4> buffer{};
  EXPECT_EQ(read_some(reader.get(), buffer), std::nullopt);
  writer.reset();
  EXPECT_EQ(read_some(reader.get(), buffer), 0U);
}

TEST(Syscall, NonBlockingWritesSayWhenThePipeIsFull) {
  auto [reader, writer] = make_pipe();
  set_nonblocking(writer.get(), true);
  const std::array<std::byte, 65536> chunk{};
  while (write_some(writer.get(), chunk)) {
  }
  EXPECT_EQ(write_some(writer.get(), chunk), std::nullopt);
}

TEST(Syscall, PositionedReadsFailAtTheEndOfTheFile) {
  const TemporaryDirectory directory;
  const Fd file = open_file(directory.path() / "f", O_RDWR | O_CREAT);
  pwrite_all(file.get(), std::as_bytes(std::span("abcdef", 6)), 10);
  std::array<std::byte, 6> buffer{};
  pread_exact(file.get(), buffer, 10);
  EXPECT_EQ(text_of(buffer), "abcdef");
  EXPECT_THROW(pread_exact(file.get(), buffer, 11), Error);
}

TEST(Syscall, OpenedFilesCloseOnExec) {
  const Fd file = open_file("/dev/null", O_RDONLY);
  EXPECT_TRUE(::fcntl(file.get(), F_GETFD) & FD_CLOEXEC);
  set_cloexec(file.get(), false);
  EXPECT_FALSE(::fcntl(file.get(), F_GETFD) & FD_CLOEXEC);
  EXPECT_TRUE(::fcntl(duplicate(file.get()).get(), F_GETFD) & FD_CLOEXEC);
}

TEST(Syscall, OpenNamesTheFile) {
  try {
    open_file("/nowhere", O_RDONLY);
    FAIL() << "expected an error";
  } catch (const Error& error) {
    EXPECT_EQ(error.message(), "cannot open /nowhere: No such file or directory");
  }
}

TEST(Syscall, EventfdsCount) {
  const Fd event = make_eventfd();
  EXPECT_EQ(drain_eventfd(event.get()), 0U);
  signal_eventfd(event.get());
  signal_eventfd(event.get());
  EXPECT_EQ(drain_eventfd(event.get()), 2U);
}

TEST(Syscall, StatusesReadAsAShellsDo) {
  const auto run = [](auto child) {
    const pid_t pid = ::fork();
    if (pid == 0) {
      child();
      ::_exit(0);
    }
    return shell_status(wait_for(pid));
  };
  EXPECT_EQ(run([] { ::_exit(7); }), 7);
  EXPECT_EQ(run([] { ::raise(SIGKILL); }), 128 + SIGKILL);
}

TEST(Syscall, SignalsArriveAtTheirDescriptor) {
  const std::array signals{SIGUSR1};
  const Fd fd = make_signalfd(signals);
  ::raise(SIGUSR1);
  signalfd_siginfo info{};
  ASSERT_EQ(read_some(fd.get(), std::as_writable_bytes(std::span(&info, 1))), sizeof info);
  EXPECT_EQ(info.ssi_signo, static_cast<std::uint32_t>(SIGUSR1));
}

TEST(Syscall, TheClockGoesForward) {
  const auto before = monotonic_now();
  EXPECT_GE(monotonic_now(), before);
  EXPECT_GT(before, 0U);
}

}  // namespace
}  // namespace twinbox::base
