// What every lab holds: a small Linux host with KVM, twinbox, and twinbox's images.
#pragma once

#include <string>

#include "qemu/lab/contents.hpp"

namespace twinbox::qemu {

// Busybox and its applets, /etc, the kernel's modules for KVM and containers, the programs of
// twinbox, and what data_root() holds of images, kernels and caches, under the same paths. Throws
// base::Error (not_found) with a hint where the kernel, busybox or a program is missing.
LabContents standard_contents();

// Adds a file or directory, a program with its libraries; of a link what it leads to. `extra` is
// PATH, for the same path in the lab, or SOURCE:TARGET with a TARGET that begins with a slash.
// Throws base::Error (not_found) where it is not there.
void add_extra(LabContents& contents, const std::string& extra);
// Whether add_extra would find its file or directory.
bool extra_is_there(const std::string& extra);

}  // namespace twinbox::qemu
