// The kernel command line that boots a stock Linux fast on this monitor.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace twinbox::vmm {

enum class GuestConsole {
  none,    // nothing is printed: the fast path, about 70 ms of a stock boot are serial output
  serial,  // console=ttyS0, for people and for finding out why a boot hangs
};

// The options a stock kernel needs to boot fast, then `extra` (which wins where the kernel takes
// the last of two).
std::string linux_command_line(GuestConsole console, std::string_view extra = {});

// Tells a kernel without ACPI of `count` virtio devices (CONFIG_VIRTIO_MMIO_CMDLINE_DEVICES).
std::string virtio_parameters(std::size_t count);

}  // namespace twinbox::vmm
