#include <string>

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/syscall.hpp"
#include "vmm/monitor.hpp"

namespace twinbox::vmm {

bool Reporter::mark(sandbox::Mark mark, const sandbox::Stamp& stamp) {
  const std::lock_guard lock(mutex_);
  if (marks_.at(mark)) return false;
  marks_.stamp(mark, stamp);
  if (descriptor_ >= 0) write(mark_line(mark, stamp));
  return true;
}

void Reporter::done() {
  const std::lock_guard lock(mutex_);
  write(done_line());
}

void Reporter::failed(const base::Error& error) {
  const std::lock_guard lock(mutex_);
  write(failed_line(error));
}

void Reporter::end(const MonitorEnd& end) {
  const std::lock_guard lock(mutex_);
  if (descriptor_ >= 0) return write(end_line(end));
  if (end.clean()) return;
  base::log(base::LogLevel::error, "{}", end.message);
  for (const auto& line : end.last_serial) base::log(base::LogLevel::error, "guest: {}", line);
  if (!end.hint.empty()) base::log(base::LogLevel::error, "{}", end.hint);
}

// Nobody may be left to read it; the guest does not suffer from that.
void Reporter::write(const std::string& line) {
  try {
    base::write_all(descriptor_, line);
  } catch (const base::Error& error) {
    base::log(base::LogLevel::debug, "{}", error.message());
  }
}

}  // namespace twinbox::vmm
