// The engines that a box can run in, by name.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "sandbox/engine.hpp"

namespace twinbox::cli {

// "container, vm, process": for help and errors.
std::string engine_names();

// Throws base::Error (usage) for a name that no engine has.
std::unique_ptr<sandbox::Engine> make_engine(std::string_view name);

// Undoes what killed processes left behind: boxes and half-made images. Every command begins with
// it.
void sweep_leftovers();

}  // namespace twinbox::cli
