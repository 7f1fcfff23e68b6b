// What libvirt finds out about QEMU by starting it twice, kept for the drivers of later processes.
#pragma once

#include <filesystem>

namespace twinbox::qemu::libvirt {

// libvirt writes its cache in place and reads it without a lock, so each driver has a copy of its
// own. It checks itself whether what it reads is still true of this QEMU, kernel and processor.

// Puts what is kept below data_root()/cache/libvirt where a driver looks for it.
void provide_capabilities(const std::filesystem::path& driver_directory);
// Keeps what a driver found out anew. A failure is logged; the next driver will find out again.
void keep_capabilities(const std::filesystem::path& driver_directory);

}  // namespace twinbox::qemu::libvirt
