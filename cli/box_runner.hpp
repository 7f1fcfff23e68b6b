// Runs one box in the foreground, as a shell runs a program.
#pragma once

#include <memory>

#include "sandbox/engine.hpp"

namespace twinbox::cli {

// Starts the box and waits for its end; signals sent to this process go to the workload. Call it
// before anything else of the process blocks or handles signals.
sandbox::Outcome run_in_foreground(sandbox::Box& box);

}  // namespace twinbox::cli
