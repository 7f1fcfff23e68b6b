#include "guest-images/agent/host_port.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <memory>
#include <string>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/syscall.hpp"

namespace twinbox::agent {
namespace {

constexpr std::string_view ports = "/sys/class/virtio-ports";

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

// The port's name under /dev ("vport2p1"); empty while it is not there.
std::string find_port(std::string_view name) {
  const std::unique_ptr<DIR, CloseDirectory> directory(::opendir(std::string(ports).c_str()));
  if (!directory) return {};
  while (const auto* entry = ::readdir(directory.get())) {
    if (entry->d_name[0] == '.') continue;
    // The name comes in a message of its own, after the port.
    const base::Fd file(
        ::open(fmt::format("{}/{}/name", ports, entry->d_name).c_str(), O_RDONLY | O_CLOEXEC));
    if (file && base::read_to_end(file.get()) == std::string(name) + "\n") return entry->d_name;
  }
  return {};
}

}  // namespace

HostPort::HostPort()
    : events_(
          ::socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT)) {
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = 1;  // the kernel's own events
  if (!events_ ||
      ::bind(events_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    base::throw_errno("cannot listen for the kernel's device events");
  }
}

base::Fd HostPort::open(std::string_view name, std::chrono::milliseconds patience) {
  auto port = find_port(name);
  while (port.empty()) {
    pollfd wait{.fd = events_.get(), .events = POLLIN, .revents = 0};
    if (::poll(&wait, 1, static_cast<int>(patience.count())) <= 0) {
      throw base::Error(base::ErrorKind::not_found,
                        fmt::format("this machine has no virtio-console port {}", name));
    }
    std::array<char, 4096> event{};
    while (::recv(events_.get(), event.data(), event.size(), 0) > 0) {
    }
    port = find_port(name);
  }
  return base::open_file("/dev/" + port, O_RDWR | O_NOCTTY);
}

}  // namespace twinbox::agent
