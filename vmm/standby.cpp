#include "vmm/standby.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <span>
#include <string>

#include "base/descriptor_message.hpp"
#include "base/error.hpp"
#include "base/fingerprint.hpp"
#include "guest-images/guest_kernel.hpp"
#include "sandbox/machine_size.hpp"
#include "sandbox/paths.hpp"

namespace twinbox::vmm {
namespace {

constexpr int backlog = 64;
// A keeper answers at once, or it has been stopped; then nobody waits for it for long, neither
// where its queue is full.
constexpr timeval patience{.tv_sec = 0, .tv_usec = 300'000};

// nullopt for a path that no socket can have; run_root() promises a short one.
std::optional<sockaddr_un> address_at(const std::filesystem::path& place) {
  const auto path = (place / "machine.sock").string();
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return std::nullopt;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

base::Fd connect_to(const std::filesystem::path& place) {
  if (::access(place.c_str(), F_OK) != 0) return {};
  const auto address = address_at(place);
  base::Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!address || !socket ||
      ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) != 0 ||
      ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) != 0 ||
      ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address) != 0) {
    return {};
  }
  return socket;
}

}  // namespace

std::filesystem::path standby_place(const sandbox::BoxRequest& request) {
  const auto& machine = request.spec.vm;
  const auto size = sandbox::machine_size(request.spec.resources);
  // Another build's machines would have another agent.
  auto inputs = fmt::format("{}\n{}\n{}\n{}\n{}\n{} {}", base::fingerprint("/proc/self/exe"),
                            machine.kernel, guest_images::kernel_wish(), machine.kernel_parameters,
                            machine.initrd, size.memory_bytes, size.cpus);
  for (const auto& layer : request.root.disks) inputs += "\n" + layer.string();
  return standby_directory() / base::short_name(inputs);
}

std::filesystem::path standby_directory() { return sandbox::run_root() / "standby"; }

std::optional<StandbyMachine> take_standby(const std::filesystem::path& place) {
  if (place.empty()) return std::nullopt;
  const auto socket = connect_to(place);
  if (!socket) return std::nullopt;
  pid_t pid = 0;
  auto given =
      base::receive_with_descriptors(socket.get(), std::as_writable_bytes(std::span(&pid, 1)));
  if (!given || given->size() != 4) return std::nullopt;
  pollfd gone{given->front().get(), POLLIN, 0};
  if (::poll(&gone, 1, 0) != 0) return std::nullopt;  // its keeper has not noticed yet
  return StandbyMachine{.monitor = {.pid = pid,
                                    .pidfd = std::move((*given)[0]),
                                    .report = std::move((*given)[1]),
                                    .child = false},
                        .port = std::move((*given)[2]),
                        .config = std::move((*given)[3])};
}

base::Fd listen_for_boxes(const std::filesystem::path& place) {
  const auto address = address_at(place);
  if (!address) {
    throw base::Error(base::ErrorKind::usage,
                      fmt::format("the path {} is too long for a socket", place.string()),
                      "set TWINBOX_RUN to a shorter one");
  }
  ::unlink(address->sun_path);
  base::Fd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!listener ||
      ::bind(listener.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address) != 0 ||
      ::listen(listener.get(), backlog) != 0) {
    base::throw_errno("cannot listen at {}", address->sun_path);
  }
  return listener;
}

void hand_over(int connection, const StandbyMachine& machine) {
  const auto pid = machine.monitor.pid;
  const std::array descriptors{machine.monitor.pidfd.get(), machine.monitor.report.get(),
                               machine.port.get(), machine.config.get()};
  base::send_with_descriptors(connection, std::as_bytes(std::span(&pid, 1)), descriptors);
}

}  // namespace twinbox::vmm
