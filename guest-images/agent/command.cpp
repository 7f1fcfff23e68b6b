#include "guest-images/agent/command.hpp"

#include <spawn.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "base/json.hpp"

namespace twinbox::agent {
namespace {

constexpr std::string_view default_path =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

std::string_view path_of(const std::vector<std::string>& env) {
  constexpr std::string_view key = "PATH=";
  for (const auto& variable : env) {
    if (variable.starts_with(key)) return std::string_view(variable).substr(key.size());
  }
  return default_path;
}

bool is_program(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) &&
         ::access(path.c_str(), X_OK) == 0;
}

std::string find_program(const Command& command) {
  const auto& name = command.args.front();
  if (name.find('/') != std::string::npos) return name;
  auto rest = path_of(command.env);
  while (!rest.empty()) {
    const auto end = rest.find(':');
    const auto candidate = std::string(rest.substr(0, end)) + "/" + name;
    if (is_program(candidate)) return candidate;
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  }
  throw base::Error(base::ErrorKind::not_found, fmt::format("{}: command not found", name));
}

std::vector<char*> to_argv(const std::vector<std::string>& strings) {
  std::vector<char*> result;
  for (const auto& string : strings) result.push_back(const_cast<char*>(string.c_str()));
  result.push_back(nullptr);
  return result;
}

// posix_spawn's two opaque arguments, undone at the end.
class SpawnSetup {
 public:
  SpawnSetup() {
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawnattr_init(&attributes_);
  }
  SpawnSetup(const SpawnSetup&) = delete;
  SpawnSetup& operator=(const SpawnSetup&) = delete;
  ~SpawnSetup() {
    ::posix_spawn_file_actions_destroy(&actions_);
    ::posix_spawnattr_destroy(&attributes_);
  }

  void set_streams(sandbox::Stdio stdio) {
    ::posix_spawn_file_actions_adddup2(&actions_, stdio.in, STDIN_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions_, stdio.out, STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions_, stdio.err, STDERR_FILENO);
  }
  void set_directory(const std::string& path) {
    ::posix_spawn_file_actions_addchdir_np(&actions_, path.c_str());
  }
  void set_defaults() {
    sigset_t none;
    ::sigemptyset(&none);
    sigset_t all;
    ::sigfillset(&all);
    ::posix_spawnattr_setsigmask(&attributes_, &none);
    ::posix_spawnattr_setsigdefault(&attributes_, &all);
    ::posix_spawnattr_setflags(&attributes_,
                               POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID);
  }

  const posix_spawn_file_actions_t* actions() const { return &actions_; }
  const posix_spawnattr_t* attributes() const { return &attributes_; }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

}  // namespace

Command parse_command(std::string_view json) {
  const auto value = base::parse_json(json, "command");
  const base::JsonView view(value, "command");
  Command command{.args = view.get<std::vector<std::string>>("args"),
                  .env = view.get_or<std::vector<std::string>>("env", {}),
                  .cwd = view.get_or<std::string>("cwd", "/")};
  if (command.args.empty()) throw base::Error(base::ErrorKind::usage, "there is no command");
  return command;
}

pid_t spawn(const Command& command, sandbox::Stdio stdio) {
  const auto program = find_program(command);
  if (::access(command.cwd.c_str(), X_OK) != 0) {
    base::throw_errno("cannot work in directory {}", command.cwd);
  }
  SpawnSetup setup;
  setup.set_streams(stdio);
  setup.set_directory(command.cwd);
  setup.set_defaults();
  pid_t pid = -1;
  const int error = ::posix_spawn(&pid, program.c_str(), setup.actions(), setup.attributes(),
                                  to_argv(command.args).data(), to_argv(command.env).data());
  if (error == 0) return pid;
  const auto failure = base::system_error(error, fmt::format("cannot execute {}", program));
  const bool missing = error == ENOENT || error == ENOTDIR;
  throw base::Error(missing ? base::ErrorKind::not_found : base::ErrorKind::system,
                    failure.message());
}

}  // namespace twinbox::agent
