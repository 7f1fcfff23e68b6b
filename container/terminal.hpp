// The terminal of a process in a box, made by that process itself in its own /dev.
#pragma once

#include "base/fd.hpp"
#include "sandbox/spec.hpp"

namespace twinbox::container {

struct Terminal {
  base::Fd master;  // for the parent
  base::Fd slave;   // for the process's streams
};

// For a process that is in the box's root and leads a session: the new terminal becomes its
// controlling one and belongs to `user`.
Terminal open_terminal(const sandbox::User& user, sandbox::TerminalSize size);

// Puts the terminal on /dev/console of the box.
void mount_console(int slave);

}  // namespace twinbox::container
