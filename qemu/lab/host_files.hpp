// What every lab holds: a small Linux host with KVM, twinbox, and twinbox's images.
#pragma once

#include <filesystem>

#include "qemu/lab/contents.hpp"

namespace twinbox::qemu {

// Busybox and its applets, /etc, the kernel's modules for KVM and containers, the programs of
// twinbox, and what data_root() holds of images, kernels and caches, under the same paths. Throws
// base::Error (not_found) with a hint where the kernel, busybox or a program is missing.
LabContents standard_contents();

// Adds a file or directory under its own path, a program with its libraries.
void add_extra(LabContents& contents, const std::filesystem::path& path);

}  // namespace twinbox::qemu
