#include "container/command_lookup.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/text.hpp"
#include "container/handshake.hpp"
#include "sandbox/engine.hpp"

namespace twinbox::container {
namespace {

constexpr std::string_view default_path =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
constexpr std::string_view path_variable = "PATH=";

std::string search_path(const std::vector<std::string>& environment) {
  std::string path(default_path);
  for (const auto& variable : environment) {
    if (variable.starts_with(path_variable)) path = variable.substr(path_variable.size());
  }
  return path;
}

// 0, or the errno that executing it would fail with.
int obstacle(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return errno;
  if (S_ISDIR(info.st_mode)) return EISDIR;
  return ::faccessat(AT_FDCWD, path.c_str(), X_OK, AT_EACCESS) == 0 ? 0 : errno;
}

bool is_absent(int error) { return error == ENOENT || error == ENOTDIR; }

Failure not_found(const std::string& command) {
  const bool named_by_path = command.find('/') != std::string::npos;
  return {sandbox::status_command_not_found,
          {base::ErrorKind::not_found,
           named_by_path ? fmt::format("the command {} is not in the image", command)
                         : fmt::format("the command {} is in no directory of the PATH", command)}};
}

}  // namespace

std::vector<std::string> command_candidates(const std::string& command,
                                            const std::vector<std::string>& environment) {
  if (command.find('/') != std::string::npos) return {command};
  std::vector<std::string> candidates;
  for (const auto& directory : base::split(search_path(environment), ':')) {
    candidates.push_back((directory.empty() ? "." : directory) + "/" + command);
  }
  return candidates;
}

std::string find_command(const std::string& command, const std::vector<std::string>& environment) {
  if (command.empty()) throw not_found("''");
  int refusal = 0;
  for (const auto& candidate : command_candidates(command, environment)) {
    const int error = obstacle(candidate);
    if (error == 0) return candidate;
    if (!is_absent(error) && refusal == 0) refusal = error;
  }
  if (refusal != 0) throw exec_failure(refusal, command);
  throw not_found(command);
}

}  // namespace twinbox::container
