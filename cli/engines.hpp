// The engines that a box can run in, by name.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sandbox/engine.hpp"

namespace twinbox::cli {

// "container, vm, process": for help and errors.
std::string engine_names();

// Throws base::Error (usage) for a name that no engine has.
std::unique_ptr<sandbox::Engine> make_engine(std::string_view name);

// What is to be run, for hints.
struct WantedRun {
  std::string image;
  std::vector<std::string> command;
};
// The one that `wanted` means on this host, which can run it: where our own monitor cannot, QEMU
// stands in for it, and a line on stderr says so. Throws base::Error (unsupported) where none can.
std::unique_ptr<sandbox::Engine> usable_engine(std::unique_ptr<sandbox::Engine> wanted,
                                               const WantedRun& run);

// Before boxes of any engine are started: what only some need is loaded, for which the command may
// begin anew (see qemu/libvirt/library.hpp).
void load_engines_of(const std::vector<std::string>& references);

// Undoes what killed processes left behind: boxes and half-made images. Every command begins with
// it.
void sweep_leftovers();

}  // namespace twinbox::cli
