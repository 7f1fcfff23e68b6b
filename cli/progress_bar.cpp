#include "cli/progress_bar.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>

namespace twinbox::cli {
namespace {

constexpr int bar_cells = 20;

std::size_t terminal_columns() {
  winsize size{};
  const bool known = ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? size.ws_col : 80U;
}

}  // namespace

std::string bar_line(const compare::ProgressEvent& event, std::size_t columns) {
  std::string line = event.text;
  if (event.planned > 0) {
    const int done = std::clamp(event.done, 0, event.planned);
    const int filled = bar_cells * done / event.planned;
    const auto left = event.remaining
                          ? fmt::format(", {} left", compare::spoken_duration(*event.remaining))
                          : std::string();
    line = fmt::format("[{:#<{}}{:-<{}}] {:3} %{}: {}", "", filled, "", bar_cells - filled,
                       100 * done / event.planned, left, event.text);
  }
  return line.substr(0, columns);
}

ProgressBar::ProgressBar() : terminal_(::isatty(STDERR_FILENO) != 0) {}

ProgressBar::~ProgressBar() {
  if (terminal_) fmt::print(stderr, "\r\033[K");
}

void ProgressBar::show(const compare::ProgressEvent& event) const {
  if (terminal_) {
    // One column is left free: a full line would wrap.
    fmt::print(stderr, "\r\033[K{}", bar_line(event, terminal_columns() - 1));
  } else {
    fmt::print(stderr, "{}\n", compare::to_line(event));
  }
  std::fflush(stderr);
}

}  // namespace twinbox::cli
