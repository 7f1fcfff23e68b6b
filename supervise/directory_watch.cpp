#include "supervise/directory_watch.hpp"

#include <poll.h>
#include <sys/inotify.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/error.hpp"
#include "base/syscall.hpp"

namespace twinbox::supervise {

DirectoryWatch::DirectoryWatch(const std::filesystem::path& directory)
    : inotify_(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {
  if (!inotify_) base::throw_errno("cannot watch {}", directory.string());
  constexpr std::uint32_t changes =
      IN_MODIFY | IN_CREATE | IN_DELETE | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
  if (::inotify_add_watch(inotify_.get(), directory.c_str(), changes) < 0) {
    base::throw_errno("cannot watch {}", directory.string());
  }
}

void DirectoryWatch::wait(std::chrono::milliseconds longest) {
  pollfd ready{.fd = inotify_.get(), .events = POLLIN, .revents = 0};
  if (::poll(&ready, 1, static_cast<int>(longest.count())) < 0 && errno != EINTR) {
    base::throw_errno("cannot wait for changes");
  }
  std::array<std::byte, 4096> buffer{};
  while (const auto count = base::read_some(inotify_.get(), buffer)) {
    for (std::size_t at = 0; at < *count;) {
      inotify_event event{};
      std::memcpy(&event, buffer.data() + at, sizeof event);
      if ((event.mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED)) != 0) gone_ = true;
      at += sizeof event + event.len;
    }
  }
}

}  // namespace twinbox::supervise
