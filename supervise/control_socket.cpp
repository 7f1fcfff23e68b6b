#include "supervise/control_socket.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "base/error.hpp"
#include "base/syscall.hpp"

namespace twinbox::supervise {
namespace {

constexpr auto socket_name = "control.sock";
constexpr int backlog = 64;

// A socket's address has room for 107 bytes, a data directory's path may be longer: hence the way
// through a descriptor of the directory.
sockaddr_un address_in(const base::Fd& directory) {
  const auto path = fmt::format("/proc/self/fd/{}/{}", directory.get(), socket_name);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

base::Fd open_directory(const std::filesystem::path& path) {
  return base::open_file(path, O_PATH | O_DIRECTORY);
}

}  // namespace

base::Fd listen_in(const std::filesystem::path& path) {
  const auto directory = open_directory(path);
  const auto address = address_in(directory);
  ::unlinkat(directory.get(), socket_name, 0);
  base::Fd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!listener ||
      ::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(listener.get(), backlog) != 0) {
    base::throw_errno("cannot listen at {}", (path / socket_name).string());
  }
  return listener;
}

base::Fd connect_in(const std::filesystem::path& path) {
  const auto directory = open_directory(path);
  const auto address = address_in(directory);
  base::Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket) base::throw_errno("cannot make a socket");
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
    return socket;
  }
  throw base::Error(
      base::ErrorKind::conflict,
      fmt::format("nobody answers at {}: {}", (path / socket_name).string(), std::strerror(errno)),
      "the box has just ended: see twinbox ps -a");
}

}  // namespace twinbox::supervise
