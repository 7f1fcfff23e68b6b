// Brings what a command wrote to /out in the lab back to the host.
#pragma once

#include <filesystem>

namespace twinbox::qemu {

// Unpacks the tar archive in the descriptor `archive` (from its start) into `directory`, which is
// made when missing. Nothing is written outside of it, whatever the archive says.
void extract_archive(int archive, const std::filesystem::path& directory);

}  // namespace twinbox::qemu
