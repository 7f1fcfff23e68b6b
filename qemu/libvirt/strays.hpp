// QEMU processes that outlived the process they were started for.
#pragma once

#include <string_view>

namespace twinbox::qemu::libvirt {

// Kills each QEMU that has `text` in an argument, and waits until it is gone. libvirt has QEMU
// leave its parent's side, so the kernel cannot be asked to end it with us.
void kill_strays(std::string_view text);

}  // namespace twinbox::qemu::libvirt
