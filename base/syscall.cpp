#include "base/syscall.hpp"

#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <vector>

#include "base/error.hpp"

namespace twinbox::base {
namespace {

// Repeats a call that returns -1 with EINTR.
template <typename Call>
auto retry(Call call) {
  auto result = call();
  while (result == -1 && errno == EINTR) result = call();
  return result;
}

std::optional<std::size_t> transferred(ssize_t count, const char* what, int fd) {
  if (count >= 0) return static_cast<std::size_t>(count);
  if (errno == EAGAIN || errno == EWOULDBLOCK) return std::nullopt;
  throw_errno("cannot {} descriptor {}", what, fd);
}

// Repeats a positioned vector call from where the last one stopped, until all is transferred.
template <typename Call>
void transfer_vector(Call call, const char* what, std::span<const std::span<std::byte>> buffers,
                     std::uint64_t offset) {
  std::vector<iovec> rest;
  rest.reserve(buffers.size());
  for (const auto& buffer : buffers) rest.push_back({buffer.data(), buffer.size()});
  std::size_t first = 0;
  while (first < rest.size()) {
    if (rest[first].iov_len == 0) {
      ++first;
      continue;
    }
    const auto count = retry([&] {
      return call(&rest[first], static_cast<int>(rest.size() - first), static_cast<off_t>(offset));
    });
    if (count < 0) throw_errno("cannot {} at {}", what, offset);
    if (count == 0) {
      throw Error(ErrorKind::system, fmt::format("cannot {}: the file ends at {}", what, offset));
    }
    offset += static_cast<std::uint64_t>(count);
    for (auto left = static_cast<std::size_t>(count); left > 0;) {
      const auto taken = std::min(left, rest[first].iov_len);
      rest[first].iov_base = static_cast<std::byte*>(rest[first].iov_base) + taken;
      rest[first].iov_len -= taken;
      left -= taken;
      if (rest[first].iov_len == 0) ++first;
    }
  }
}

}  // namespace

Fd open_file(const std::string& path, int flags, mode_t mode) {
  return open_at(AT_FDCWD, path, flags, mode);
}

Fd open_at(int directory, const std::string& path, int flags, mode_t mode) {
  Fd fd(retry([&] { return ::openat(directory, path.c_str(), flags | O_CLOEXEC, mode); }));
  if (!fd) throw_errno("cannot open {}", path);
  return fd;
}

std::optional<std::size_t> read_some(int fd, std::span<std::byte> buffer) {
  return transferred(retry([&] { return ::read(fd, buffer.data(), buffer.size()); }), "read", fd);
}

std::optional<std::size_t> write_some(int fd, std::span<const std::byte> bytes) {
  return transferred(retry([&] { return ::write(fd, bytes.data(), bytes.size()); }), "write", fd);
}

std::optional<std::size_t> receive_some(int fd, std::span<std::byte> buffer) {
  return transferred(retry([&] { return ::recv(fd, buffer.data(), buffer.size(), MSG_DONTWAIT); }),
                     "receive from", fd);
}

std::optional<std::size_t> send_some(int fd, std::span<const std::byte> bytes) {
  return transferred(
      retry([&] { return ::send(fd, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL); }),
      "send to", fd);
}

std::string read_to_end(int fd) {
  std::string text;
  std::array<std::byte, 16384> buffer;  // not cleared: most files are small
  while (const auto count = read_some(fd, buffer).value_or(0)) {
    text.append(reinterpret_cast<const char*>(buffer.data()), count);
  }
  return text;
}

void write_all(int fd, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const auto count = retry([&] { return ::write(fd, bytes.data(), bytes.size()); });
    if (count < 0) throw_errno("cannot write descriptor {}", fd);
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
}

void write_all(int fd, std::string_view text) { write_all(fd, std::as_bytes(std::span(text))); }

void pread_exact(int fd, std::span<std::byte> buffer, std::uint64_t offset) {
  while (!buffer.empty()) {
    const auto count = retry(
        [&] { return ::pread(fd, buffer.data(), buffer.size(), static_cast<off_t>(offset)); });
    if (count < 0) throw_errno("cannot read {} bytes at {}", buffer.size(), offset);
    if (count == 0) {
      throw Error(ErrorKind::system, fmt::format("the file ends {} bytes before {}", buffer.size(),
                                                 offset + buffer.size()));
    }
    buffer = buffer.subspan(static_cast<std::size_t>(count));
    offset += static_cast<std::uint64_t>(count);
  }
}

void pwrite_all(int fd, std::span<const std::byte> bytes, std::uint64_t offset) {
  while (!bytes.empty()) {
    const auto count =
        retry([&] { return ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset)); });
    if (count < 0) throw_errno("cannot write {} bytes at {}", bytes.size(), offset);
    bytes = bytes.subspan(static_cast<std::size_t>(count));
    offset += static_cast<std::uint64_t>(count);
  }
}

void preadv_exact(int fd, std::span<const std::span<std::byte>> buffers, std::uint64_t offset) {
  transfer_vector(
      [fd](const iovec* rest, int count, off_t at) { return ::preadv(fd, rest, count, at); },
      "read", buffers, offset);
}

bool preadv_cached(int fd, std::span<const std::span<std::byte>> buffers, std::uint64_t offset) {
  std::vector<iovec> vector;
  vector.reserve(buffers.size());
  std::size_t wanted = 0;
  for (const auto& buffer : buffers) {
    vector.push_back({buffer.data(), buffer.size()});
    wanted += buffer.size();
  }
  const auto count = ::preadv2(fd, vector.data(), static_cast<int>(vector.size()),
                               static_cast<off_t>(offset), RWF_NOWAIT);
  return count >= 0 && static_cast<std::size_t>(count) == wanted;
}

void pwritev_all(int fd, std::span<const std::span<std::byte>> buffers, std::uint64_t offset) {
  transfer_vector(
      [fd](const iovec* rest, int count, off_t at) { return ::pwritev(fd, rest, count, at); },
      "write", buffers, offset);
}

void sync_data(int fd) {
  if (retry([&] { return ::fdatasync(fd); }) != 0) throw_errno("cannot sync descriptor {}", fd);
}

std::pair<Fd, Fd> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw_errno("cannot make a pipe");
  return {Fd(ends[0]), Fd(ends[1])};
}

std::pair<Fd, Fd> make_socket_pair() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    throw_errno("cannot make a socket pair");
  }
  return {Fd(ends[0]), Fd(ends[1])};
}

Fd make_eventfd() {
  Fd fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!fd) throw_errno("cannot make an eventfd");
  return fd;
}

void signal_eventfd(int fd) {
  const std::uint64_t one = 1;
  // EAGAIN means the counter is full, so the reader is woken already.
  write_some(fd, std::as_bytes(std::span(&one, 1)));
}

std::uint64_t drain_eventfd(int fd) {
  std::uint64_t count = 0;
  return read_some(fd, std::as_writable_bytes(std::span(&count, 1))) ? count : 0;
}

Fd make_signalfd(std::span<const int> signals) {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int number : signals) ::sigaddset(&set, number);
  if (const int error = ::pthread_sigmask(SIG_BLOCK, &set, nullptr)) {
    throw system_error(error, "cannot block signals");
  }
  Fd fd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd) throw_errno("cannot make a signalfd");
  return fd;
}

Fd open_pidfd(pid_t pid) {
  Fd fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!fd) throw_errno("cannot open a pidfd of process {}", pid);
  return fd;
}

Fd duplicate(int fd) {
  Fd copy(::fcntl(fd, F_DUPFD_CLOEXEC, 3));
  if (!copy) throw_errno("cannot duplicate descriptor {}", fd);
  return copy;
}

void set_nonblocking(int fd, bool on) {
  const int flags = ::fcntl(fd, F_GETFL);
  if (flags < 0 || ::fcntl(fd, F_SETFL, on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK) < 0) {
    throw_errno("cannot change the flags of descriptor {}", fd);
  }
}

void set_cloexec(int fd, bool on) {
  if (::fcntl(fd, F_SETFD, on ? FD_CLOEXEC : 0) < 0) {
    throw_errno("cannot change the flags of descriptor {}", fd);
  }
}

int wait_for(pid_t pid) {
  int status = 0;
  if (retry([&] { return ::waitpid(pid, &status, 0); }) < 0) {
    throw_errno("cannot wait for process {}", pid);
  }
  return status;
}

int shell_status(int wait_status) {
  return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

std::uint64_t monotonic_now() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000U +
         static_cast<std::uint64_t>(now.tv_nsec);
}

}  // namespace twinbox::base
