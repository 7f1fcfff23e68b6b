// What kind of file a machine boots: the audit tells apart who has to unpack its kernel.
#pragma once

#include <filesystem>
#include <string>

#include "compare/result.hpp"

namespace twinbox::compare {

// "vmlinux" (ELF), "bzImage" or "unknown".
std::string kernel_format(const std::filesystem::path& file);

// Adds "kernel", "kernel format" and "kernel digest" to an engine of ours; `choice` is "stock",
// "tuned", a file, or empty for the default, which is the tuned one where that is built and fits.
void add_kernel_facts(Engine& engine, const std::string& choice, bool tuned_fits);
// The same of a file that is booted as it is.
void add_kernel_file_facts(Engine& engine, const std::filesystem::path& file);

}  // namespace twinbox::compare
