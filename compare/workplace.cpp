#include "compare/workplace.hpp"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>
#include <optional>
#include <vector>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/syscall.hpp"
#include "base/text.hpp"
#include "compare/engines/leftovers.hpp"

namespace twinbox::compare {
namespace {

namespace fs = std::filesystem;

constexpr const char* parent = "/tmp";
constexpr std::string_view prefix = "twinbox-comparison-";
// In the environment of every command of a comparison: its workplace.
constexpr const char* mark = "TWINBOX_COMPARISON";

// The directory, locked; nothing when another one holds it or it is gone.
std::optional<base::Fd> lock(const fs::path& directory) {
  base::Fd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
  struct stat info {};
  if (!fd || ::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) return std::nullopt;
  if (::fstat(fd.get(), &info) != 0 || info.st_nlink == 0 || info.st_uid != ::geteuid()) {
    return std::nullopt;
  }
  return fd;
}

bool is_marked(pid_t pid, const fs::path& workplace) {
  try {
    const auto environment = '\0' + base::read_file(fmt::format("/proc/{}/environ", pid)) + '\0';
    return environment.find(fmt::format("{}{}={}{}", '\0', mark, workplace.string(), '\0')) !=
           std::string::npos;
  } catch (const base::Error&) {
    return false;  // it has ended, or is not ours
  }
}

// Commands that were left alone. Through descriptors: a number could be another process's by then.
void kill_commands_of(const fs::path& workplace) {
  std::vector<base::Fd> killed;
  for (const auto& name : base::names_in("/proc")) {
    const auto pid = base::parse_number<pid_t>(name);
    if (!pid || *pid == ::getpid() || !is_marked(*pid, workplace)) continue;
    base::Fd process(static_cast<int>(::syscall(SYS_pidfd_open, *pid, 0U)));
    if (!process || !is_marked(*pid, workplace)) continue;
    ::syscall(SYS_pidfd_send_signal, process.get(), SIGKILL, nullptr, 0U);
    killed.push_back(std::move(process));
  }
  constexpr int patience_ms = 5000;
  for (const auto& process : killed) {
    pollfd end{process.get(), POLLIN, 0};
    ::poll(&end, 1, patience_ms);
  }
}

void undo(const fs::path& workplace) {
  kill_commands_of(workplace);
  try {
    remove_leftovers(workplace);
    base::remove_tree(workplace);
  } catch (const base::Error&) {
    // The next comparison tries again.
  }
}

}  // namespace

Workplace::Workplace() {
  clear_dead_workplaces();
  while (!lock_) {
    path_ = base::make_unique_directory(parent, prefix);
    // Between the two, another comparison may have taken it for a dead one's.
    if (auto locked = lock(path_)) lock_ = std::move(*locked);
  }
  ::setenv(mark, path_.c_str(), 1);
}

Workplace::~Workplace() {
  ::unsetenv(mark);
  undo(path_);
}

void clear_dead_workplaces() {
  for (const auto& name : base::names_in(parent)) {
    if (!name.starts_with(prefix)) continue;
    const auto directory = fs::path(parent) / name;
    if (const auto held = lock(directory)) undo(directory);
  }
}

}  // namespace twinbox::compare
