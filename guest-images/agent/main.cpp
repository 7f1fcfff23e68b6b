// twinbox-agent: PID 1 of a guest, or with --serve a server of commands on a machine with its own
// init.
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <charconv>
#include <csignal>
#include <cstring>
#include <exception>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/syscall.hpp"
#include "guest-images/agent/guest.hpp"
#include "guest-images/agent/service.hpp"

namespace twinbox::agent {
namespace {

constexpr std::string_view usage =
    "usage: twinbox-agent                the init of a guest\n"
    "       twinbox-agent --serve PORT   PORT: a character device, a Unix socket to connect to, "
    "or\n"
    "                                    fd:NUMBER; a device is served for one host after the "
    "other\n";

bool is_socket(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISSOCK(status.st_mode);
}

base::Fd connect_to(const std::string& path) {
  base::Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    throw base::Error(base::ErrorKind::usage, fmt::format("the socket path {} is too long", path));
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  if (!fd ||
      ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    base::throw_errno("cannot connect to {}", path);
  }
  return fd;
}

base::Fd inherited(std::string_view number) {
  int fd = -1;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), fd);
  if (error != std::errc() || end != number.data() + number.size() || fd < 0) {
    throw base::Error(base::ErrorKind::usage, fmt::format("fd:{} is no descriptor", number));
  }
  base::set_cloexec(fd, true);
  return base::Fd(fd);
}

void serve(const std::string& port) {
  base::EventLoop loop;
  Service service(loop, {});
  constexpr std::string_view descriptor = "fd:";
  if (port.starts_with(descriptor)) {
    service.serve(inherited(std::string_view(port).substr(descriptor.size())));
  } else if (is_socket(port)) {
    service.serve(connect_to(port));
  } else {
    // Kept open between hosts, so that the port never looks closed to the next one. The saying of
    // hello waits for it.
    const auto device = base::open_file(port, O_RDWR | O_NOCTTY);
    while (true) {
      base::set_nonblocking(device.get(), false);
      service.serve(base::duplicate(device.get()));
    }
  }
}

int run(int argc, char** argv) {
  // A host that goes away is an error of a write, not the end of PID 1.
  ::signal(SIGPIPE, SIG_IGN);
  base::set_log_name("twinbox-agent");
  if (argc == 3 && std::string_view(argv[1]) == "--serve") {
    serve(argv[2]);
    return 0;
  }
  if (::getpid() == 1) run_guest();
  base::write_all(STDERR_FILENO, usage);
  return 2;
}

}  // namespace
}  // namespace twinbox::agent

int main(int argc, char** argv) {
  try {
    return twinbox::agent::run(argc, argv);
  } catch (const std::exception& error) {
    twinbox::base::log_line(twinbox::base::LogLevel::error, error.what());
    return 1;
  }
}
