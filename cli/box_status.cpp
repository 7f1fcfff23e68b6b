#include "cli/box_status.hpp"

#include <fmt/format.h>

#include "cli/format_units.hpp"

namespace twinbox::cli {

using supervise::Status;

bool is_alive(Status status) {
  return status == Status::running || status == Status::paused || status == Status::restarting;
}

std::string status_text(const supervise::BoxState& state, std::int64_t now) {
  const auto up = human_duration(now - state.started);
  const auto gone = human_duration(now - state.finished);
  switch (state.status) {
    case Status::running:
      return "Up " + up;
    case Status::paused:
      return fmt::format("Up {} (Paused)", up);
    case Status::restarting:
      return fmt::format("Restarting ({}) {} ago", state.exit_code, gone);
    case Status::exited:
      return fmt::format("Exited ({}) {} ago", state.exit_code, gone);
    case Status::removing:
      return "Removal In Progress";
    case Status::dead:
      return "Dead";
    case Status::created:
      break;
  }
  return "Created";
}

}  // namespace twinbox::cli
