#include "container/leftovers.hpp"

#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cctype>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/file.hpp"
#include "container/overlay.hpp"

namespace twinbox::container {

namespace fs = std::filesystem;

namespace {

constexpr auto patience = std::chrono::seconds(10);

std::optional<std::uint64_t> mount_namespace_of(const fs::path& process) {
  struct stat info {};
  if (::stat((process / "ns/mnt").c_str(), &info) != 0) return std::nullopt;
  return info.st_ino;
}

std::string mounts_of(const fs::path& process) {
  try {
    return base::read_file(process / "mountinfo");
  } catch (const base::Error&) {
    return {};  // it ended meanwhile
  }
}

// An option as mountinfo writes it: in octal are those letters that would end it there (the
// kernel's seq_show_option).
std::string mountinfo_text(std::string_view option) {
  constexpr std::string_view escaped = ", \t\n\\";
  std::string text;
  for (const char letter : option) {
    const bool as_is = escaped.find(letter) == std::string_view::npos;
    text += as_is ? std::string(1, letter) : fmt::format("\\{:03o}", letter);
  }
  return text;
}

using Condition = std::function<bool(const fs::path& process)>;

// A handle taken before the condition is checked, so that what is killed is what was checked.
base::Fd handle_if(const fs::path& process, const Condition& condition) {
  base::Fd handle(
      static_cast<int>(::syscall(SYS_pidfd_open, std::atoi(process.filename().c_str()), 0)));
  return handle && condition(process) ? std::move(handle) : base::Fd();
}

std::vector<base::Fd> matching(const Condition& condition) {
  std::vector<base::Fd> found;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const auto name = entry.path().filename().string();
    if (std::isdigit(static_cast<unsigned char>(name.front())) == 0) continue;
    if (auto handle = handle_if(entry.path(), condition)) found.push_back(std::move(handle));
  }
  return found;
}

void kill_matching(const Condition& condition) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  for (auto found = matching(condition); !found.empty(); found = matching(condition)) {
    for (const auto& process : found) {
      ::syscall(SYS_pidfd_send_signal, process.get(), SIGKILL, nullptr, 0);
    }
    if (std::chrono::steady_clock::now() > deadline) {
      throw base::Error(base::ErrorKind::system,
                        fmt::format("{} processes of a box do not end", found.size()));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

}  // namespace

// A process that has ended but is not reaped has neither namespace nor mount table, so it is not
// found.
void kill_processes_on_overlay(const fs::path& directory,
                               std::optional<std::uint64_t> mount_namespace) {
  const auto wanted = mountinfo_text(upper_option(directory)) + ',';
  kill_matching([&](const fs::path& process) {
    return (!mount_namespace || mount_namespace_of(process) == mount_namespace) &&
           mounts_of(process).find(wanted) != std::string::npos;
  });
}

}  // namespace twinbox::container
