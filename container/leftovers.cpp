#include "container/leftovers.hpp"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cctype>
#include <chrono>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "base/error.hpp"
#include "base/file.hpp"
#include "container/overlay.hpp"

namespace twinbox::container {

namespace fs = std::filesystem;

namespace {

constexpr auto patience = std::chrono::seconds(10);

using Condition = std::function<bool(const fs::path& process)>;

std::vector<pid_t> matching(const Condition& condition) {
  std::vector<pid_t> found;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const auto name = entry.path().filename().string();
    if (std::isdigit(static_cast<unsigned char>(name.front())) == 0) continue;
    if (condition(entry.path())) found.push_back(std::stoi(name));
  }
  return found;
}

void kill_matching(const Condition& condition) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  for (auto found = matching(condition); !found.empty(); found = matching(condition)) {
    for (const auto pid : found) ::kill(pid, SIGKILL);
    if (std::chrono::steady_clock::now() > deadline) {
      throw base::Error(base::ErrorKind::system,
                        fmt::format("process {} of a box does not end", found.front()));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

}  // namespace

// A process that has ended but is not reaped has neither namespace nor mount table, so it is not
// found.
void kill_processes_in_mount_namespace(std::uint64_t inode) {
  kill_matching([inode](const fs::path& process) {
    struct stat info {};
    return ::stat((process / "ns/mnt").c_str(), &info) == 0 && info.st_ino == inode;
  });
}

void kill_processes_on_overlay(const fs::path& directory) {
  // mountinfo writes a backslash as \134.
  std::string wanted;
  for (const char letter : upper_option(directory)) {
    wanted += letter == '\\' ? std::string("\\134") : std::string(1, letter);
  }
  wanted += ',';
  kill_matching([&wanted](const fs::path& process) {
    try {
      return base::read_file(process / "mountinfo").find(wanted) != std::string::npos;
    } catch (const base::Error&) {
      return false;  // it ended meanwhile
    }
  });
}

}  // namespace twinbox::container
