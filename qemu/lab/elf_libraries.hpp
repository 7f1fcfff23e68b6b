// Which shared libraries a program needs, asked of its own ELF loader.
#pragma once

#include <filesystem>
#include <vector>

namespace twinbox::qemu {

// The program's loader and every library it would load, by absolute path; empty for a static
// program and for anything that is no ELF file. Throws base::Error (not_found) that names a missing
// library.
std::vector<std::filesystem::path> shared_libraries(const std::filesystem::path& program);

}  // namespace twinbox::qemu
