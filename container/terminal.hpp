// The terminal of a process in a box, made by that process itself in the box's /dev.
#pragma once

#include "base/fd.hpp"
#include "sandbox/spec.hpp"

namespace twinbox::container {

struct Terminal {
  base::Fd master;  // for the parent
  base::Fd slave;   // for the process's streams
};

// A new one, of the box whose root directory is `root`, that belongs to `user`.
Terminal open_terminal(int root, const sandbox::User& user, sandbox::TerminalSize size);
// Makes a terminal the controlling one of the session that the calling process leads.
void control_terminal(int slave);

// Puts the terminal on /dev/console of the box.
void mount_console(int slave);

}  // namespace twinbox::container
