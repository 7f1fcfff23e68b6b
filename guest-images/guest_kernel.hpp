// Which kernel a guest gets.
#pragma once

#include <filesystem>
#include <string>

namespace twinbox::guest_images {

// Where the guest finds its virtio devices.
enum class VirtioBus { mmio, pci };

// From what a kernel learns of its machine.
enum class Firmware {
  acpi,
  mp_table,  // and of devices from its command line
};

// A kernel with its modules, laid out as guest-images/fetch-kernel does.
struct GuestKernel {
  std::filesystem::path image;      // vmlinuz, or any form that the monitor boots
  std::filesystem::path modules;    // its lib/modules/VERSION; empty: all it needs is built in
  std::string parameters{};         // what it is to be started with
  std::string silent_parameters{};  // and with that, where nobody reads its console
  Firmware firmware = Firmware::acpi;
  bool persistent_memory = false;  // it is known to have drivers of virtio-pmem
};

// Below data_root()/kernels.
inline constexpr const char* stock_kernel_name =
    "stock";  // Debian's, from guest-images/fetch-kernel
inline constexpr const char* tuned_kernel_name = "tuned";  // ours, from guest-images/build-kernel

// $TWINBOX_KERNEL, or empty.
std::string kernel_wish();

// The kernel that `choice` names: "stock", "tuned", or a file, whose modules are looked for beside
// it. Empty: $TWINBOX_KERNEL, or else the tuned kernel where it is built and the bus is its own, or
// the stock one. Throws base::Error with a hint when it is not there (not_found), or when it does
// not know the bus (unsupported).
GuestKernel choose_kernel(const std::string& choice, VirtioBus bus);

// What `choice` means wherever the work is done later: a file's path is made absolute. Throws
// base::Error (not_found) for a file that is not there.
std::string checked_kernel_choice(const std::string& choice);

}  // namespace twinbox::guest_images
