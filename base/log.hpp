// Diagnostics on stderr: one line each, "twinbox: warning: ...".
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

namespace twinbox::base {

enum class LogLevel { debug, info, warning, error };

// Lines below this level are dropped. TWINBOX_LOG=debug|info|warning|error sets it; default
// warning.
LogLevel log_level();
// The name each line begins with; the program's.
void set_log_name(std::string name);
void log_line(LogLevel level, std::string_view text);

template <typename... Args>
void log(LogLevel level, fmt::format_string<Args...> format, Args&&... args) {
  if (level >= log_level()) log_line(level, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace twinbox::base
