// The guest's initramfs: the agent as /init, and the modules the guest needs.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace twinbox::guest_images {

// A kernel with its modules, laid out as guest-images/fetch-kernel does.
struct GuestKernel {
  std::filesystem::path image;    // vmlinuz, or any form that the monitor boots
  std::filesystem::path modules;  // its lib/modules/VERSION; empty: all it needs is built in
};

// The stock kernel below data_root()/kernels/stock. Throws base::Error (not_found) with a hint.
GuestKernel stock_kernel();
// Any other kernel; its modules are looked for beside it, in the same layout.
GuestKernel kernel_at(const std::filesystem::path& image);

// Where the guest finds its virtio devices.
enum class VirtioBus { mmio, pci };

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

// The initramfs for `kernel` on a machine with this bus, made when data_root()/cache/initramfs has
// none for the agent and modules as they are now.
std::filesystem::path guest_initramfs(const GuestKernel& kernel, VirtioBus bus = VirtioBus::mmio);

}  // namespace twinbox::guest_images
