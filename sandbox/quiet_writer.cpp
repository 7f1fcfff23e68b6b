#include "sandbox/quiet_writer.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <ctime>

#include "base/error.hpp"
#include "base/syscall.hpp"

namespace twinbox::sandbox {
namespace {

// Holds SIGPIPE back in this thread, and takes away the one that a write in between caused.
class SigpipeGuard {
 public:
  SigpipeGuard() {
    ::sigemptyset(&pipe_);
    ::sigaddset(&pipe_, SIGPIPE);
    sigset_t pending;
    ::sigpending(&pending);
    was_pending_ = ::sigismember(&pending, SIGPIPE) == 1;
    ::pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  SigpipeGuard(const SigpipeGuard&) = delete;
  SigpipeGuard& operator=(const SigpipeGuard&) = delete;
  ~SigpipeGuard() {
    const timespec now{};
    if (!was_pending_) ::sigtimedwait(&pipe_, nullptr, &now);
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

 private:
  sigset_t pipe_{};
  sigset_t before_{};
  bool was_pending_ = false;
};

bool takes_bytes(int fd) {
  pollfd watch{.fd = fd, .events = POLLOUT, .revents = 0};
  return ::poll(&watch, 1, 0) > 0;
}

}  // namespace

QuietWriter::QuietWriter(base::Fd fd) : fd_(std::move(fd)), kind_(Kind::blocking) {
  struct stat status {};
  if (::fstat(fd_.get(), &status) == 0 && S_ISSOCK(status.st_mode)) {
    kind_ = Kind::socket;
  } else if ((::fcntl(fd_.get(), F_GETFL) & O_NONBLOCK) != 0) {
    kind_ = Kind::nonblocking;
  }
}

std::optional<std::size_t> QuietWriter::write(std::span<const std::byte> bytes) const {
  if (kind_ == Kind::socket) {
    const auto sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent >= 0) return static_cast<std::size_t>(sent);
    if (errno == EAGAIN || errno == EINTR) return std::nullopt;
    base::throw_errno("cannot send on descriptor {}", fd_.get());
  }
  if (kind_ == Kind::blocking) {
    // A pipe that polls writable takes PIPE_BUF bytes without blocking (pipe(7)).
    if (!takes_bytes(fd_.get())) return std::nullopt;
    bytes = bytes.first(std::min<std::size_t>(bytes.size(), PIPE_BUF));
  }
  const SigpipeGuard guard;
  return base::write_some(fd_.get(), bytes);
}

}  // namespace twinbox::sandbox
