// The life of a box: its statuses, and which action is legal in which.
#pragma once

#include <string_view>

namespace twinbox::supervise {

// docker's names.
enum class Status { created, running, paused, restarting, removing, exited, dead };
std::string_view to_string(Status status);
// Throws base::Error (usage) for another word.
Status status_from(std::string_view text);

enum class Action {
  start,
  stop,
  kill,
  restart,
  pause,
  unpause,
  save,
  attach,
  exec,
  update,
  copy,
  remove
};

// One table for all engines. Throws base::Error (conflict) that names the box, what was to be done
// and its status, with the verb that helps as hint.
void require(Action action, Status status, std::string_view box_name);

}  // namespace twinbox::supervise
