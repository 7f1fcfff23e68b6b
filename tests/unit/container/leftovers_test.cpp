#include "container/leftovers.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "base/file.hpp"
#include "base/syscall.hpp"
#include "container/overlay.hpp"

namespace twinbox::container {
namespace {

namespace fs = std::filesystem;

// In a child process: an overlay that is written to in `directory`, in a mount namespace of its
// own.
bool mount_box(const fs::path& directory, const fs::path& lower) {
  const auto options =
      fmt::format("lowerdir={},{},workdir={}", lower.string(), upper_option(directory),
                  escape_overlay_path((directory / "work").string()));
  return ::unshare(CLONE_NEWNS) == 0 &&
         ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
         ::mount("overlay", lower.c_str(), "overlay", 0, options.c_str()) == 0;
}

// A process that has such an overlay until it is killed; -1 where none may be mounted.
pid_t start_process_on_overlay(const fs::path& directory, const fs::path& lower) {
  auto [ready, told] = base::make_pipe();
  const pid_t process = ::fork();
  if (process == 0) {
    if (!mount_box(directory, lower)) ::_exit(1);
    base::write_all(told.get(), "x");
    told.reset();
    while (true) ::pause();
  }
  told.reset();
  if (!base::read_to_end(ready.get()).empty()) return process;
  base::wait_for(process);
  return -1;
}

// Soon; ends it otherwise.
bool has_ended(pid_t process) {
  for (int turn = 0; turn < 200; ++turn) {
    if (::waitpid(process, nullptr, WNOHANG) == process) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  ::kill(process, SIGKILL);
  base::wait_for(process);
  return false;
}

TEST(Leftovers, AreFoundWhateverLettersTheirDirectoryHas) {
  const base::TemporaryDirectory scratch;
  for (const auto* name : {"plain", "my boxes", "a,b", "a:b", "a\\b", "a\tb\nc", "a#b=c"}) {
    const auto directory = scratch.path() / name;
    for (const auto* part : {"upper", "work"}) fs::create_directories(directory / part);
    fs::create_directories(scratch.path() / "lower");
    const auto process = start_process_on_overlay(directory, scratch.path() / "lower");
    if (process < 0) GTEST_SKIP() << "needs the right to mount an overlay";
    kill_processes_on_overlay(scratch.path() / "plai");
    EXPECT_EQ(::waitpid(process, nullptr, WNOHANG), 0) << "killed for another box";
    kill_processes_on_overlay(directory);
    EXPECT_TRUE(has_ended(process)) << name;
  }
}

}  // namespace
}  // namespace twinbox::container
