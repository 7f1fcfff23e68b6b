// The guest's initramfs: the agent as /init, and the modules the guest needs.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "guest-images/guest_kernel.hpp"

namespace twinbox::guest_images {

// A file of the archive: `name` without a leading slash.
struct InitramfsFile {
  std::string name;
  std::string content;
  unsigned mode = 0644;
};

// Writes an uncompressed newc archive (the kernel unpacks it fastest) with `directories` and
// `files` sorted, owned by root and dated 1970, so that the same input gives the same bytes.
void write_initramfs(const std::filesystem::path& path, std::vector<std::string> directories,
                     std::vector<InitramfsFile> files);

// The initramfs for `kernel` on a machine with this bus, whose layers are disks or, on request, in
// persistent memory; made when data_root()/cache/initramfs has none for the agent and modules as
// they are now. A few older ones are kept there.
std::filesystem::path guest_initramfs(const GuestKernel& kernel, VirtioBus bus = VirtioBus::mmio,
                                      bool persistent_memory = false);

}  // namespace twinbox::guest_images
