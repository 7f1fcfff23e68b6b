#include "base/log.hpp"

#include <unistd.h>

#include <array>
#include <cstdlib>

namespace twinbox::base {
namespace {

constexpr std::array<std::string_view, 4> level_names{"debug", "info", "warning", "error"};

std::string& log_name() {
  static std::string name = "twinbox";
  return name;
}

LogLevel level_from_environment() {
  const char* const wanted = std::getenv("TWINBOX_LOG");
  for (std::size_t i = 0; wanted != nullptr && i < level_names.size(); ++i) {
    if (wanted == level_names[i]) return static_cast<LogLevel>(i);
  }
  return LogLevel::warning;
}

}  // namespace

LogLevel log_level() {
  static const LogLevel level = level_from_environment();
  return level;
}

void set_log_name(std::string name) { log_name() = std::move(name); }

void log_line(LogLevel level, std::string_view text) {
  const auto line =
      fmt::format("{}: {}: {}\n", log_name(), level_names[static_cast<std::size_t>(level)], text);
  // One write, so that lines of several processes do not mix; a lost diagnostic stops nothing.
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace twinbox::base
