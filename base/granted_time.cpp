#include "base/granted_time.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>

namespace twinbox::base {

std::chrono::nanoseconds waited_for_processors(pid_t pid) {
  std::chrono::nanoseconds longest{};
  std::error_code gone;  // threads end while we look
  const auto tasks = "/proc/" + std::to_string(pid) + "/task";
  for (std::filesystem::directory_iterator task(tasks, gone), end; !gone && task != end;
       task.increment(gone)) {
    std::ifstream file(task->path() / "schedstat");
    std::int64_t on_processor = 0;
    std::int64_t on_run_queue = 0;
    if (!(file >> on_processor >> on_run_queue)) continue;
    longest = std::max(longest, std::chrono::nanoseconds(on_run_queue));
  }
  return longest;
}

std::chrono::nanoseconds GrantedTime::of(std::span<const pid_t> processes) const {
  std::chrono::nanoseconds granted = std::chrono::steady_clock::now() - begin_;
  for (const pid_t pid : processes) granted -= waited_for_processors(pid);
  return std::max(granted, std::chrono::nanoseconds{});
}

}  // namespace twinbox::base
