#include <poll.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <utility>

#include "base/error.hpp"
#include "base/event_loop.hpp"
#include "base/syscall.hpp"
#include "base/text.hpp"
#include "qemu/lab/command.hpp"
#include "qemu/lab/transfer.hpp"
#include "sandbox/paths.hpp"

namespace twinbox::qemu {
namespace {

// A guest's write to a port returns before QEMU has the bytes, and what is on its way is lost when
// the machine ends. So each port's bytes are followed by this, and the machine stays until we have
// seen it on all of them.
constexpr std::string_view end_of_port = "\x1e\x1c\x1d twinbox lab: end of port \x1d\x1c\x1e";

// The lab's init runs this with the ports in place.
std::string make_script(const LabCommand& command) {
  std::string script = "cd /\n";
  for (const auto& variable : command.env) {
    const auto equals = variable.find('=');
    script += fmt::format("export {}={}\n", variable.substr(0, equals),
                          base::shell_quoted(std::string_view(variable).substr(equals + 1)));
  }
  script += fmt::format("end={}\n", base::shell_quoted(end_of_port));
  // In one group: a port can be opened once, and what the command leaves running may hold it. In a
  // shell of its own, so that one that is the shell's own, as `exit` is, does not end this script.
  script += "{ ( ";
  for (const auto& word : command.args) script += base::shell_quoted(word) + ' ';
  script +=
      ") </dev/null; status=$?; printf %s \"$end\"; printf %s \"$end\" >&2; } "
      ">/dev/virtio-ports/stdout 2>/dev/virtio-ports/stderr\n";
  script += fmt::format("{{ {} printf %s \"$end\"; }} >/dev/virtio-ports/files\n",
                        command.out ? "tar -C /out -c .;" : "");
  script += "{ echo $status; printf %s \"$end\"; read -r _; } <>/dev/virtio-ports/status >&0\n";
  return script;
}

// Whoever shares it may have made it non-blocking.
void write_patiently(int target, std::string_view text) {
  while (!text.empty()) {
    const auto count = base::write_some(target, std::as_bytes(std::span(text)));
    if (count) {
      text.remove_prefix(*count);
      continue;
    }
    pollfd ready{.fd = target, .events = POLLOUT, .revents = 0};
    ::poll(&ready, 1, -1);
  }
}

// What comes over a port, less the end's mark.
class PortBytes {
 public:
  // `place` names the target in an error.
  PortBytes(int target, std::string place) : target_(target), place_(std::move(place)) {}

  bool ended() const { return ended_; }

  void add(std::span<const std::byte> bytes) {
    if (ended_) return;
    held_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    const auto end = held_.find(end_of_port);
    ended_ = end != std::string::npos;
    pass_on(ended_ ? end : held_.size() - begun_end());
  }
  // No more comes, with or without a mark.
  void close() { pass_on(ended_ ? 0 : held_.size()); }

 private:
  // The last bytes that may be the mark's first ones.
  std::size_t begun_end() const {
    auto length = std::min(held_.size(), end_of_port.size() - 1);
    while (!held_.ends_with(end_of_port.substr(0, length))) --length;
    return length;
  }
  void pass_on(std::size_t count) {
    try {
      write_patiently(target_, std::string_view(held_).substr(0, count));
    } catch (const base::Error& error) {
      throw base::system_error(error.number(), fmt::format("cannot write to {}", place_));
    }
    held_.erase(0, count);
  }

  int target_;
  std::string place_;
  bool ended_ = false;
  std::string held_;
};

// Takes what the lab sends over its ports until the machine has ended.
class PortReader {
 public:
  LabPort add(const std::string& name, int target, std::string place) {
    auto [ours, theirs] = base::make_socket_pair();
    base::set_nonblocking(ours.get(), true);
    const int fd = ours.get();
    ports_.try_emplace(fd, target, std::move(place));
    loop_.add(fd, EPOLLIN, [this, fd](std::uint32_t) { take(fd); });
    ours_.push_back(std::move(ours));
    theirs_.push_back(std::move(theirs));
    return {.name = name, .socket = theirs_.back().get()};
  }

  // `machine` has the other ends now. The last port that was added is the one where the lab waits
  // for a line from us when all have ended.
  void read_until_end(const LabMachine& machine) {
    theirs_.clear();
    loop_.add(machine.pidfd(), EPOLLIN, [this](std::uint32_t) { loop_.stop(); });
    loop_.run();
    loop_.remove(machine.pidfd());
    while (!ports_.empty()) take(ports_.begin()->first);  // what is left in the sockets
  }

 private:
  void take(int fd) {
    auto& port = ports_.at(fd);
    const bool had_ended = port.ended();
    while (const auto count = base::read_some(fd, buffer_)) {
      if (*count == 0) {
        port.close();
        loop_.remove(fd);
        ports_.erase(fd);
        return;
      }
      port.add(std::span(buffer_).first(*count));
    }
    if (!had_ended && port.ended()) let_go();
  }

  void let_go() const {
    if (ports_.size() < ours_.size()) return;  // the machine ends by itself already
    const bool all =
        std::ranges::all_of(ports_, [](const auto& port) { return port.second.ended(); });
    if (all) base::send_some(ours_.back().get(), std::as_bytes(std::span("\n", 1)));
  }

  base::EventLoop loop_;
  std::map<int, PortBytes> ports_;
  std::vector<base::Fd> ours_;
  std::vector<base::Fd> theirs_;
  std::vector<std::byte> buffer_ = std::vector<std::byte>(64 * 1024);
};

base::Fd file_in_memory(const char* name) {
  base::Fd file(::memfd_create(name, MFD_CLOEXEC));
  if (!file) base::throw_errno("cannot make a file in memory");
  return file;
}

}  // namespace

std::vector<std::string> lab_environment(LabTiming timing) {
  std::vector<std::string> env{"PATH=/usr/bin", "HOME=/root", "TERM=dumb",
                               "TWINBOX_ROOT=" + sandbox::data_root().string()};
  env.push_back(timing == LabTiming::deterministic ? "TWINBOX_LAB=deterministic"
                                                   : "TWINBOX_LAB=wall-clock");
  if (const char* level = std::getenv("TWINBOX_LOG"))
    env.push_back(fmt::format("TWINBOX_LOG={}", level));
  return env;
}

int run_deterministic(LabMachineConfig config, const LabCommand& command) {
  const base::Fd status = file_in_memory("status");
  const base::Fd files = command.out ? archive_for(*command.out) : file_in_memory("files");
  PortReader reader;
  config.timing = LabTiming::deterministic;
  config.script = make_script(command);
  config.ports = {reader.add("stdout", STDOUT_FILENO, "standard output"),
                  reader.add("stderr", STDERR_FILENO, "standard error"),
                  reader.add("files", files.get(), command.out ? command.out->string() : "memory"),
                  reader.add("status", status.get(), "memory")};
  const LabMachine machine(config);
  reader.read_until_end(machine);

  if (::lseek(status.get(), 0, SEEK_SET) < 0) base::throw_errno("cannot rewind a file in memory");
  const std::string text = base::read_to_end(status.get());
  if (text.empty()) {
    throw base::Error(base::ErrorKind::system,
                      fmt::format("the lab ended before its command did; its last lines:\n{}",
                                  log_tail(config.log)));
  }
  if (command.out) extract_archive(files.get(), *command.out);
  return std::atoi(text.c_str());
}

}  // namespace twinbox::qemu
