// Which of a kernel's modules a guest loads, and in what order.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace twinbox::guest_images {

// The names a module needs, from its own .modinfo ("depends=virtio,virtio_ring").
std::vector<std::string> module_dependencies(std::string_view module);

// A module without the signature appended to it. Checking one costs a guest's boot a hash of the
// whole module and an RSA operation; the host that wrote the guest's kernel into its memory gains
// nothing by it.
std::string_view without_signature(std::string_view module);

// The files of `wanted` and all they depend on, dependencies first, below a
// lib/modules/VERSION directory. Modules built into the kernel are left out. Throws base::Error
// (not_found) naming a module that is neither there nor built in.
std::vector<std::filesystem::path> resolve_modules(const std::filesystem::path& directory,
                                                   const std::vector<std::string>& wanted);

}  // namespace twinbox::guest_images
