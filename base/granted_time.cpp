#include "base/granted_time.hpp"

#include <algorithm>
#include <filesystem>
#include <string>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/text.hpp"

namespace twinbox::base {

namespace {

// The second number of /proc/PID/task/TID/schedstat, in nanoseconds; 0 when the thread is gone.
std::int64_t time_on_run_queue(const std::filesystem::path& task) {
  try {
    const auto numbers = words(read_file(task / "schedstat"));
    return numbers.size() < 2 ? 0 : parse_number<std::int64_t>(numbers[1]).value_or(0);
  } catch (const Error&) {
    return 0;
  }
}

}  // namespace

std::chrono::nanoseconds waited_for_processors(pid_t pid) {
  std::chrono::nanoseconds longest{};
  std::error_code gone;  // threads end while we look
  const auto tasks = "/proc/" + std::to_string(pid) + "/task";
  for (std::filesystem::directory_iterator task(tasks, gone), end; !gone && task != end;
       task.increment(gone)) {
    longest = std::max(longest, std::chrono::nanoseconds(time_on_run_queue(task->path())));
  }
  return longest;
}

std::chrono::nanoseconds GrantedTime::of(std::span<const pid_t> processes) const {
  std::chrono::nanoseconds granted = std::chrono::steady_clock::now() - begin_;
  for (const pid_t pid : processes) granted -= waited_for_processors(pid);
  return std::max(granted, std::chrono::nanoseconds{});
}

}  // namespace twinbox::base
