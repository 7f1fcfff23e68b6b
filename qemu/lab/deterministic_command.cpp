#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <map>
#include <utility>

#include "base/error.hpp"
#include "base/event_loop.hpp"
#include "base/syscall.hpp"
#include "qemu/lab/command.hpp"
#include "qemu/lab/transfer.hpp"
#include "sandbox/paths.hpp"

namespace twinbox::qemu {
namespace {

std::string shell_word(std::string_view word) {
  std::string text = "'";
  for (const char c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

// The lab's init runs this with the ports in place.
std::string make_script(const LabCommand& command) {
  std::string script = "cd /\n";
  for (const auto& variable : command.env) {
    const auto equals = variable.find('=');
    script += fmt::format("export {}={}\n", variable.substr(0, equals),
                          shell_word(std::string_view(variable).substr(equals + 1)));
  }
  for (const auto& word : command.args) script += shell_word(word) + ' ';
  script +=
      "</dev/null >/dev/virtio-ports/stdout 2>/dev/virtio-ports/stderr\n"
      "echo $? >/dev/virtio-ports/status\n";
  if (command.out) script += "tar -C /out -c . >/dev/virtio-ports/files\n";
  return script;
}

// Takes what the lab sends over its ports until the machine has ended.
class PortReader {
 public:
  LabPort add(const std::string& name, int target) {
    auto [ours, theirs] = base::make_socket_pair();
    base::set_nonblocking(ours.get(), true);
    const int fd = ours.get();
    targets_[fd] = target;
    loop_.add(fd, EPOLLIN, [this, fd](std::uint32_t) { take(fd); });
    ours_.push_back(std::move(ours));
    theirs_.push_back(std::move(theirs));
    return {.name = name, .socket = theirs_.back().get()};
  }

  // `machine` has the other ends now.
  void read_until_end(const LabMachine& machine) {
    theirs_.clear();
    loop_.add(machine.pidfd(), EPOLLIN, [this](std::uint32_t) { loop_.stop(); });
    loop_.run();
    loop_.remove(machine.pidfd());
    while (!targets_.empty()) take(targets_.begin()->first);  // what is left in the sockets
  }

 private:
  void take(int fd) {
    const int target = targets_.at(fd);
    while (const auto count = base::read_some(fd, buffer_)) {
      if (*count == 0) {
        loop_.remove(fd);
        targets_.erase(fd);
        return;
      }
      base::write_all(target, std::span(buffer_).first(*count));
    }
  }

  base::EventLoop loop_;
  std::map<int, int> targets_;
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
  const base::Fd files = file_in_memory("files");
  PortReader reader;
  config.timing = LabTiming::deterministic;
  config.script = make_script(command);
  config.ports = {reader.add("stdout", STDOUT_FILENO), reader.add("stderr", STDERR_FILENO),
                  reader.add("status", status.get()), reader.add("files", files.get())};
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
