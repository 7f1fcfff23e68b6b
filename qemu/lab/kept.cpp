#include "qemu/lab/kept.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <exception>
#include <memory>
#include <nlohmann/json.hpp>
#include <thread>
#include <utility>

#include "base/error.hpp"
#include "base/event_loop.hpp"
#include "base/file.hpp"
#include "base/json.hpp"
#include "base/log.hpp"
#include "base/syscall.hpp"
#include "sandbox/paths.hpp"

namespace twinbox::qemu {
namespace {

namespace fs = std::filesystem;

constexpr int agents = 16;

fs::path lab_directory() { return sandbox::data_root() / "lab"; }

std::string agent_name(int number) { return fmt::format("exec.{}", number); }

bool try_lock(int fd) {
  if (::flock(fd, LOCK_EX | LOCK_NB) == 0) return true;
  if (errno != EWOULDBLOCK && errno != EINTR) base::throw_errno("cannot lock a file of the lab");
  return false;
}

void wait_for_lock(int fd) {
  while (::flock(fd, LOCK_EX) != 0) {
    if (errno != EINTR) base::throw_errno("cannot lock a file of the lab");
  }
}

// A Unix socket's path may have 107 bytes only; through an open directory it is short.
class SocketAddress {
 public:
  explicit SocketAddress(const std::string& name)
      : directory_(base::open_file(kept_lab_directory(), O_PATH | O_DIRECTORY)) {
    const auto path = fmt::format("/proc/self/fd/{}/{}", directory_.get(), name);
    address_.sun_family = AF_UNIX;
    std::memcpy(address_.sun_path, path.c_str(), path.size() + 1);
  }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&address_); }
  static socklen_t size() { return sizeof(sockaddr_un); }

 private:
  base::Fd directory_;
  sockaddr_un address_{};
};

base::Fd make_socket() {
  base::Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) base::throw_errno("cannot make a socket");
  return fd;
}

base::Fd listen_at(const std::string& name) {
  base::Fd fd = make_socket();
  const SocketAddress address(name);
  if (::bind(fd.get(), address.get(), SocketAddress::size()) != 0 || ::listen(fd.get(), 1) != 0) {
    base::throw_errno("cannot listen at {}", (kept_lab_directory() / name).string());
  }
  return fd;
}

bool supervisor_lives() {
  const base::Fd alive(::open((kept_lab_directory() / "alive").c_str(), O_RDONLY | O_CLOEXEC));
  return alive && !try_lock(alive.get());
}

std::string to_json(const KeptLab& lab) {
  return base::Json{{"supervisor", lab.supervisor},
                    {"digest", lab.digest},
                    {"memory_bytes", lab.memory_bytes},
                    {"default_memory", lab.default_memory},
                    {"with", lab.with}}
      .dump(2);
}

KeptLab from_json(const std::string& text, const std::string& source) {
  const auto json = base::parse_json(text, source);
  const base::JsonView view(json, source);
  return {.supervisor = view.get<pid_t>("supervisor"),
          .digest = view.get<std::string>("digest"),
          .memory_bytes = view.get<std::uint64_t>("memory_bytes"),
          .default_memory = view.get_or<bool>("default_memory", false),  // older ones have none
          .with = view.get<std::vector<std::string>>("with")};
}

// Closes what the supervisor inherited and does not need, so that nobody waits for the end of a
// pipe that it holds by accident.
void close_all_but(std::vector<int> kept) {
  std::ranges::sort(kept);
  unsigned next = 3;
  for (const int fd : kept) {
    const auto number = static_cast<unsigned>(fd);
    if (number > next) ::syscall(SYS_close_range, next, number - 1, 0U);
    next = std::max(next, number + 1);
  }
  ::syscall(SYS_close_range, next, ~0U, 0U);
}

void wait_for_end(const LabMachine& machine, int signals) {
  base::EventLoop loop;
  loop.add(machine.pidfd(), EPOLLIN, [&](std::uint32_t) { loop.stop(); });
  loop.add(signals, EPOLLIN, [&](std::uint32_t) { loop.stop(); });
  loop.run();
}

// The supervisor's whole life. It leaves the directory alone at its end: the next command removes
// it, under the start lock.
[[noreturn]] void supervise(const LabMachineConfig& config, KeptLab lab, int alive) {
  ::setsid();
  try {
    lab.supervisor = ::getpid();
    base::write_file_atomic(kept_lab_directory() / "state.json", to_json(lab));
    std::vector<int> kept{config.log, alive};
    for (const auto& port : config.ports) kept.push_back(port.socket);
    close_all_but(kept);  // the start lock among them: from here on the lab can be found
    const base::Fd null_fd = base::open_file("/dev/null", O_RDWR);
    for (const int stream : {STDIN_FILENO, STDOUT_FILENO}) ::dup2(null_fd.get(), stream);
    ::dup2(config.log, STDERR_FILENO);
    const base::Fd signals = base::make_signalfd(std::array{SIGTERM, SIGINT, SIGHUP});
    const LabMachine machine(config);
    for (const auto& port : config.ports) ::close(port.socket);  // QEMU's from here on
    wait_for_end(machine, signals.get());
  } catch (const std::exception& error) {
    base::log_line(base::LogLevel::error, error.what());
    ::_exit(1);
  }
  ::_exit(0);
}

bool ends_within(int pidfd, int milliseconds) {
  pollfd waited{.fd = pidfd, .events = POLLIN, .revents = 0};
  int result = 0;
  do {
    result = ::poll(&waited, 1, milliseconds);
  } while (result < 0 && errno == EINTR);
  return result > 0;
}

fs::path lock_of(const std::string& agent) { return kept_lab_directory() / (agent + ".lock"); }

// Nullopt when all agents are busy.
std::optional<AgentLease> try_lease_agent() {
  std::vector<std::pair<fs::file_time_type, std::string>> names;
  for (int number = 0; number < agents; ++number) {
    const auto name = agent_name(number);
    std::error_code never_used;
    const auto time = fs::last_write_time(lock_of(name), never_used);
    names.emplace_back(never_used ? fs::file_time_type::min() : time, name);
  }
  // The one that was left longest ago: its agent has surely noticed.
  std::ranges::sort(names);
  for (const auto& [time, name] : names) {
    base::Fd lock = base::open_file(lock_of(name), O_RDWR | O_CREAT);
    if (!try_lock(lock.get())) continue;
    ::futimens(lock.get(), nullptr);  // in case we are killed before the end
    return AgentLease(std::move(lock), name);
  }
  return std::nullopt;
}

}  // namespace

fs::path kept_lab_directory() { return lab_directory() / "kept"; }

AgentLease::AgentLease(base::Fd held_lock, std::string socket)
    : lock(std::move(held_lock)), socket_name(std::move(socket)) {}

AgentLease::~AgentLease() {
  // The time of this says how long the agent has been alone.
  if (lock) ::futimens(lock.get(), nullptr);
}

base::Fd AgentLease::connect() const {
  base::Fd fd = make_socket();
  const SocketAddress address(socket_name);
  base::set_nonblocking(fd.get(), true);  // a lab that stands still takes no connection
  if (::connect(fd.get(), address.get(), SocketAddress::size()) != 0) {
    if (errno == EAGAIN) return {};
    base::throw_errno("cannot reach the lab at {}", (kept_lab_directory() / socket_name).string());
  }
  return fd;
}

std::optional<KeptLab> find_kept_lab() {
  const fs::path state = kept_lab_directory() / "state.json";
  if (!supervisor_lives() || !fs::exists(state)) return std::nullopt;
  return from_json(base::read_file(state), state.string());
}

base::Fd lock_lab_start() {
  base::make_directories(lab_directory());
  base::Fd lock = base::open_file(lab_directory() / "start.lock", O_RDWR | O_CREAT);
  wait_for_lock(lock.get());
  return lock;
}

void spawn_kept_lab(LabMachineConfig config, KeptLab lab) {
  base::remove_tree(kept_lab_directory());
  base::make_directories(kept_lab_directory());
  const base::Fd alive = base::open_file(kept_lab_directory() / "alive", O_RDWR | O_CREAT);
  wait_for_lock(alive.get());
  const base::Fd log = base::open_file(kept_lab_directory() / "log", O_RDWR | O_CREAT | O_APPEND);
  std::vector<base::Fd> sockets;
  config.ports.clear();
  for (int number = 0; number < agents; ++number) {
    sockets.push_back(listen_at(agent_name(number)));
    config.ports.push_back(
        {.name = agent_name(number), .socket = sockets.back().get(), .listening = true});
  }
  config.log = log.get();
  auto [found, announced] = base::make_pipe();
  const pid_t pid = ::fork();
  if (pid < 0) base::throw_errno("cannot start the lab's supervisor");
  if (pid == 0) supervise(config, std::move(lab), alive.get());
  announced.reset();
  base::read_to_end(found.get());  // ends when the supervisor has written its state
}

void end_kept_lab(const KeptLab& lab) {
  const base::Fd supervisor(static_cast<int>(::syscall(SYS_pidfd_open, lab.supervisor, 0U)));
  // Still alive after the descriptor was made: it is the supervisor's and no stranger's.
  if (supervisor && supervisor_lives()) {
    ::syscall(SYS_pidfd_send_signal, supervisor.get(), SIGTERM, nullptr, 0U);
    if (!ends_within(supervisor.get(), 30'000)) {
      ::syscall(SYS_pidfd_send_signal, supervisor.get(), SIGKILL, nullptr, 0U);
      ends_within(supervisor.get(), 30'000);
    }
  }
  base::remove_tree(kept_lab_directory());
}

bool kept_lab_is_busy() {
  for (int number = 0; number < agents; ++number) {
    const base::Fd lock(::open(lock_of(agent_name(number)).c_str(), O_RDONLY | O_CLOEXEC));
    if (lock && !try_lock(lock.get())) return true;
  }
  return false;
}

AgentLease lease_agent() {
  // Nothing tells of the first of many locks that is released.
  constexpr auto pause = std::chrono::milliseconds(50);
  while (true) {
    if (auto lease = try_lease_agent()) return std::move(*lease);
    std::this_thread::sleep_for(pause);
  }
}

void clean_up_kept_lab() {
  if (!fs::exists(kept_lab_directory())) return;
  const base::Fd lock = base::open_file(lab_directory() / "start.lock", O_RDWR | O_CREAT);
  if (!try_lock(lock.get())) return;  // being started or stopped right now
  if (!supervisor_lives()) base::remove_tree(kept_lab_directory());
}

}  // namespace twinbox::qemu
