// From the kernel's initramfs to a machine that programs can live in.
#pragma once

#include <string>

#include "base/fd.hpp"

namespace twinbox::agent {

// Replaces the initramfs by a tmpfs as root, because nothing can pivot away from an initramfs, and
// mounts /proc, /sys and /dev. Returns the initramfs's root, which no path leads to any more.
base::Fd set_up_root();

// The value of `name` on the kernel's command line ("name=value"); empty when it is not there.
std::string kernel_parameter(const std::string& name);

// Loads the modules named in modules/order below `initramfs`, then removes them to free their
// memory.
void load_modules(int initramfs);
// Once the balloon's driver is there, which sets a size of its own.
void give_small_pieces_back();

}  // namespace twinbox::agent
