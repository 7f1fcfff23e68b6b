#include "qemu/libvirt/orphan_reaper.hpp"

#include <sys/wait.h>

#include <charconv>
#include <chrono>
#include <string>
#include <system_error>
#include <utility>

#include "base/error.hpp"
#include "base/file.hpp"

namespace twinbox::qemu::libvirt {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::milliseconds interval{5};

pid_t pid_in(const fs::path& file) {
  pid_t pid = 0;
  try {
    const auto text = base::read_file(file);
    std::from_chars(text.data(), text.data() + text.size(), pid);
  } catch (const base::Error&) {
    // It was removed in between, and its process waited for before that.
  }
  return pid;
}

}  // namespace

OrphanReaper::OrphanReaper(fs::path driver_directory)
    : directory_(std::move(driver_directory)),
      thread_([this](const std::stop_token& stop) { reap_until(stop); }) {}

void OrphanReaper::reap_until(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    look_for_probes();
    std::erase_if(probes_, [](pid_t pid) { return ::waitpid(pid, nullptr, WNOHANG) == pid; });
    std::this_thread::sleep_for(interval);
  }
}

// A QEMU that is asked what it can do has its files in lib/qemu/qmp-XXXXXX.
void OrphanReaper::look_for_probes() {
  std::error_code missing;
  for (const auto& entry : fs::directory_iterator(directory_ / "lib/qemu", missing)) {
    if (!entry.path().filename().string().starts_with("qmp-")) continue;
    const pid_t pid = pid_in(entry.path() / "qmp.pid");
    if (pid > 0) probes_.insert(pid);
  }
}

}  // namespace twinbox::qemu::libvirt
