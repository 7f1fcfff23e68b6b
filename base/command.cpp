#include "base/command.hpp"

#include <spawn.h>
#include <sys/mman.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/syscall.hpp"
#include "base/text.hpp"

namespace twinbox::base {
namespace {

// A file in memory takes any amount without a reader, so neither stream can hold up the other.
Fd make_sink(const char* name) {
  Fd sink(::memfd_create(name, MFD_CLOEXEC));
  if (!sink) throw_errno("cannot make a file in memory");
  return sink;
}

std::string contents(int fd) {
  if (::lseek(fd, 0, SEEK_SET) < 0) throw_errno("cannot rewind descriptor {}", fd);
  return read_to_end(fd);
}

class SpawnAttributes {
 public:
  SpawnAttributes() {
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawnattr_init(&attributes);
    // Whatever the caller blocks or ignores, a helper starts with the defaults.
    sigset_t set;
    ::sigemptyset(&set);
    ::posix_spawnattr_setsigmask(&attributes, &set);
    ::sigaddset(&set, SIGPIPE);
    ::posix_spawnattr_setsigdefault(&attributes, &set);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  SpawnAttributes(const SpawnAttributes&) = delete;
  SpawnAttributes& operator=(const SpawnAttributes&) = delete;
  ~SpawnAttributes() {
    ::posix_spawnattr_destroy(&attributes);
    ::posix_spawn_file_actions_destroy(&actions);
  }

  posix_spawn_file_actions_t actions{};
  posix_spawnattr_t attributes{};
};

}  // namespace

std::filesystem::path find_program(std::string_view name) {
  const char* const path = std::getenv("PATH");
  for (const auto& directory : split(path == nullptr ? "" : path, ':')) {
    auto file = std::filesystem::path(directory) / name;
    if (::access(file.c_str(), X_OK) == 0) return file;
  }
  return {};
}

CommandResult run_command(const std::vector<std::string>& args) {
  const Fd null_fd = open_file("/dev/null", O_RDONLY);
  const Fd out = make_sink("stdout");
  const Fd err = make_sink("stderr");
  SpawnAttributes spawn;
  ::posix_spawn_file_actions_adddup2(&spawn.actions, null_fd.get(), STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&spawn.actions, out.get(), STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&spawn.actions, err.get(), STDERR_FILENO);

  std::vector<char*> argv;
  for (const auto& argument : args) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  pid_t pid = -1;
  const int failure =
      ::posix_spawnp(&pid, argv[0], &spawn.actions, &spawn.attributes, argv.data(), environ);
  if (failure == ENOENT) return {127, {}, fmt::format("{}: no such program", args.at(0))};
  if (failure != 0) throw system_error(failure, fmt::format("cannot start {}", args.at(0)));
  const int status = shell_status(wait_for(pid));
  return {status, contents(out.get()), contents(err.get())};
}

}  // namespace twinbox::base
