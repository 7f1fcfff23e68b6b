// The agent as the init of a guest.
#pragma once

namespace twinbox::agent {

// Brings the guest up, serves its host, and ends the machine. Never throws.
[[noreturn]] void run_guest();

}  // namespace twinbox::agent
