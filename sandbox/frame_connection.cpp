#include "sandbox/frame_connection.hpp"

#include <poll.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <span>
#include <utility>

#include "base/syscall.hpp"

namespace twinbox::sandbox {
namespace {

// Streams are bounded by credit, so a queue this long means a peer that does not read.
constexpr std::size_t output_limit = 16U << 20;

// The bytes that are there; 0 when the peer has closed its end, also where it had not read all that
// it was sent, which a socket calls a reset. A console port is no socket: this reads.
std::optional<std::size_t> take(int fd, std::span<std::byte> buffer) {
  const auto count = ::read(fd, buffer.data(), buffer.size());
  if (count >= 0) return static_cast<std::size_t>(count);
  if (errno == ECONNRESET) return 0;
  if (errno == EAGAIN || errno == EINTR) return std::nullopt;
  base::throw_errno("cannot read");
}

}  // namespace

std::shared_ptr<FrameConnection> FrameConnection::open(base::EventLoop& loop, base::Fd stream,
                                                       std::string peer, OnFrame on_frame,
                                                       OnEnd on_end) {
  base::set_nonblocking(stream.get(), true);
  std::shared_ptr<FrameConnection> connection(new FrameConnection(
      loop, std::move(stream), std::move(peer), std::move(on_frame), std::move(on_end)));
  connection->watch();
  return connection;
}

FrameConnection::FrameConnection(base::EventLoop& loop, base::Fd stream, std::string peer,
                                 OnFrame on_frame, OnEnd on_end)
    : loop_(loop),
      stream_(std::move(stream)),
      peer_(std::move(peer)),
      on_frame_(std::move(on_frame)),
      on_end_(std::move(on_end)) {}

FrameConnection::~FrameConnection() { close(); }

void FrameConnection::watch() {
  loop_.add(stream_.get(), EPOLLIN, [weak = weak_from_this()](std::uint32_t events) {
    if (const auto self = weak.lock()) self->on_event(events);
  });
}

void FrameConnection::send(protocol::FrameType type, std::uint32_t process,
                           std::string_view payload) {
  if (!open_) return;
  if (held_) {
    *held_ += protocol::encode(type, process, payload);
    return;
  }
  output_ += protocol::encode(type, process, payload);
  if (output_.size() - output_start_ > output_limit) {
    // Ended from the loop: the caller may stand in the middle of its own state.
    loop_.defer([weak = weak_from_this()] {
      if (const auto self = weak.lock()) {
        self->end(base::Error(base::ErrorKind::system, self->peer_ + " does not read any more"));
      }
    });
    return;
  }
  if (!watching_output_) transmit();
}

void FrameConnection::release(protocol::FrameType type, std::uint32_t process,
                              std::string_view payload) {
  if (!held_) return send(type, process, payload);
  held_->insert(0, protocol::encode(type, process, payload));
  release();
}

void FrameConnection::drop_held() {
  if (held_) held_->clear();
}

// In order: what was held comes before what is sent from here on.
void FrameConnection::release() {
  output_ += std::exchange(held_, std::nullopt).value_or(std::string());
  if (open_ && !watching_output_) transmit();
}

void FrameConnection::flush() {
  while (open_ && output_start_ < output_.size()) {
    pollfd wait{.fd = stream_.get(), .events = POLLOUT, .revents = 0};
    if (::poll(&wait, 1, 1000) <= 0 || (wait.revents & POLLOUT) == 0) return;
    transmit();
  }
}

void FrameConnection::close() {
  if (std::exchange(open_, false)) loop_.remove(stream_.get());
}

void FrameConnection::on_event(std::uint32_t events) {
  if (open_ && (events & EPOLLOUT) != 0) transmit();
  if (open_ && (events & ~static_cast<std::uint32_t>(EPOLLOUT)) != 0) receive();
}

void FrameConnection::receive() {
  std::array<std::byte, 65536> buffer;
  try {
    const auto count = take(stream_.get(), buffer);
    if (!count) return;
    if (*count == 0) {
      return end(base::Error(base::ErrorKind::system, peer_ + " closed the connection"));
    }
    decoder_.feed(std::span(buffer).first(*count), [this](protocol::Frame frame) {
      if (open_) on_frame_(std::move(frame));
    });
  } catch (const base::Error& error) {
    end(base::Error(error.kind(), fmt::format("{}: {}", peer_, error.message()), error.hint()));
  } catch (const std::exception& error) {  // whatever the peer has brought about is its end only
    end(base::Error(base::ErrorKind::internal, fmt::format("{}: {}", peer_, error.what())));
  }
}

void FrameConnection::transmit() {
  try {
    while (output_start_ < output_.size()) {
      const auto bytes = std::as_bytes(std::span(output_)).subspan(output_start_);
      const auto count = stream_.write(bytes);
      if (!count) break;
      output_start_ += *count;
    }
  } catch (const base::Error&) {
    // The peer is gone. What it sent before may still wait to be read, so the end is found there.
    output_start_ = output_.size();
  }
  const bool blocked = output_start_ < output_.size();
  if (!blocked) {
    output_.clear();
    output_start_ = 0;
  } else if (output_start_ > output_.size() / 2) {
    output_.erase(0, std::exchange(output_start_, 0));
  }
  if (blocked != watching_output_) {
    watching_output_ = blocked;
    loop_.modify(stream_.get(), blocked ? EPOLLIN | EPOLLOUT : EPOLLIN);
  }
}

void FrameConnection::end(const base::Error& reason) {
  if (!open_) return;
  close();
  on_end_(reason);
}

}  // namespace twinbox::sandbox
