#include "sandbox/stream_relay.hpp"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <span>
#include <utility>

#include "base/error.hpp"
#include "base/syscall.hpp"
#include "sandbox/protocol.hpp"

namespace twinbox::sandbox {
namespace {

constexpr std::size_t piece = 65536;
// Small consumptions are not worth a frame each.
constexpr std::uint32_t credit_step = protocol::stream_window / 4;

// Of a pipe, all that is in it. A terminal has more on its way than it tells of.
std::optional<std::size_t> bytes_waiting(int fd) {
  struct stat info {};
  int count = 0;
  if (::fstat(fd, &info) != 0 || !S_ISFIFO(info.st_mode)) return std::nullopt;
  if (::ioctl(fd, FIONREAD, &count) != 0 || count < 0) return std::nullopt;
  return static_cast<std::size_t>(count);
}

}  // namespace

StreamSource::StreamSource(base::EventLoop& loop, base::Fd fd, Handlers handlers)
    : loop_(loop),
      fd_(std::move(fd)),
      handlers_(std::move(handlers)),
      credit_(protocol::stream_window) {}

void StreamSource::start() {
  if (!fd_) return close();
  // What is always ready, such as a regular file or /dev/null, is not.
  pollable_ = watched_ = loop_.add_if_pollable(fd_.get(), EPOLLIN, on_readable());
  pump();
}

void StreamSource::add_credit(std::uint32_t bytes) {
  if (bytes > protocol::stream_window - credit_) {
    throw base::Error(base::ErrorKind::system, "credit for bytes that were never sent");
  }
  credit_ += bytes;
  if (!ended_) pump();
}

void StreamSource::reopen() {
  credit_ = protocol::stream_window;
  if (!ended_) pump();
}

void StreamSource::begin_anew() {
  if (ended_) return;
  std::array<std::byte, piece> buffer;
  auto count = read_piece(buffer);
  while (count && *count > 0) count = read_piece(buffer);
  if (count) return close();
  reopen();
}

void StreamSource::finish() {
  if (ended_ || std::exchange(finishing_, true)) return;
  // What somebody else writes from now on, who was left the other end, is not the writer's.
  rest_ = bytes_waiting(fd_.get()).value_or(rest_);
  pump();
}

void StreamSource::close() {
  if (std::exchange(ended_, true)) return;
  stop();
  handlers_.on_end();
}

void StreamSource::stop() {
  if (std::exchange(watched_, false)) loop_.remove(fd_.get());
  fd_.reset();
}

void StreamSource::pump() {
  // Whoever is sent a piece may give credit at once: the loop below goes on with it, since a call
  // within a call for each piece would take as much stack as the writer likes.
  if (std::exchange(pumping_, true)) return;
  bool more = true;
  while (more && reads_by_itself()) more = send_piece();
  pumping_ = false;
  if (ended_) return;
  if (!more || rest_ == 0) return close();
  update_watch();
}

// Readiness of a pollable descriptor is left to the loop, so that one busy stream does not starve
// the others; the rest of a finished one and a file are bounded by the credit.
bool StreamSource::reads_by_itself() const {
  return (!pollable_ || finishing_) && !ended_ && credit_ > 0 && rest_ > 0;
}

void StreamSource::update_watch() {
  // Without credit the watch goes altogether: epoll tells of a hang-up even when asked for nothing.
  const bool wanted = pollable_ && credit_ > 0 && !finishing_;
  if (wanted == watched_) return;
  watched_ = wanted;
  if (!wanted) return loop_.remove(fd_.get());
  loop_.add(fd_.get(), EPOLLIN, on_readable());
}

base::EventLoop::Callback StreamSource::on_readable() {
  return [this](std::uint32_t) {
    send_piece();
    if (!ended_) update_watch();
  };
}

std::optional<std::size_t> StreamSource::read_piece(std::span<std::byte> buffer) const {
  try {
    return base::read_some(fd_.get(), buffer);
  } catch (const base::Error&) {
    return 0;  // a terminal that is gone (EIO) or a directory as stdin: nothing more comes
  }
}

bool StreamSource::send_piece() {
  std::array<std::byte, piece> buffer;
  const auto size = std::min({piece, std::size_t{credit_}, rest_});
  const auto count = read_piece(std::span(buffer).first(size));
  if (!count) return false;
  if (*count == 0) {
    close();
    return true;
  }
  credit_ -= static_cast<std::uint32_t>(*count);
  if (finishing_) rest_ -= *count;
  handlers_.send({reinterpret_cast<const char*>(buffer.data()), *count});
  return true;
}

StreamSink::StreamSink(base::EventLoop& loop, base::Fd fd, Handlers handlers)
    : loop_(loop), writer_(std::move(fd)), handlers_(std::move(handlers)) {
  broken_ = writer_.get() < 0;
}

void StreamSink::push(std::string_view bytes) {
  if (bytes.size() > protocol::stream_window - outstanding_ || finishing_) {
    throw base::Error(base::ErrorKind::system, "stream bytes beyond the credit given");
  }
  outstanding_ += static_cast<std::uint32_t>(bytes.size());
  if (broken_) return consumed(bytes.size());
  queue_.append(bytes);
  if (!watched_) flush();
}

void StreamSink::finish() {
  if (std::exchange(finishing_, true)) return;
  flush();
}

void StreamSink::begin_anew() {
  set_watch(false);
  queue_.clear();
  queue_start_ = 0;
  outstanding_ = uncredited_ = 0;
}

void StreamSink::stop() {
  set_watch(false);
  writer_ = QuietWriter(base::Fd());
}

void StreamSink::set_watch(bool on) {
  if (std::exchange(watched_, on) == on) return;
  if (!on) return loop_.remove(writer_.get());
  loop_.add(writer_.get(), EPOLLOUT, [this](std::uint32_t) { flush(); });
}

void StreamSink::flush() {
  std::optional<base::Error> failure;
  try {
    write_queue();
    set_watch(!queue_.empty());
  } catch (const base::Error& error) {
    failure = error;
    broken_ = true;
    consumed(queue_.size() - queue_start_);
    queue_.clear();
    stop();
  }
  if (failure) handlers_.on_closed(*failure);
  if (!finishing_ || !queue_.empty() || std::exchange(drained_, true)) return;
  stop();
  handlers_.on_drained();
}

void StreamSink::write_queue() {
  while (queue_start_ < queue_.size()) {
    const auto count = writer_.write(std::as_bytes(std::span(queue_)).subspan(queue_start_));
    if (!count) break;
    queue_start_ += *count;
    consumed(*count);
  }
  if (queue_start_ == queue_.size()) {
    queue_.clear();
    queue_start_ = 0;
  } else if (queue_start_ >= piece) {
    queue_.erase(0, std::exchange(queue_start_, 0));
  }
}

void StreamSink::consumed(std::size_t bytes) {
  uncredited_ += static_cast<std::uint32_t>(bytes);
  if (uncredited_ < credit_step) return;
  outstanding_ -= uncredited_;
  handlers_.give_credit(std::exchange(uncredited_, 0));
}

}  // namespace twinbox::sandbox
