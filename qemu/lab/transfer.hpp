// Brings what a command wrote to /out in the lab back to the host.
#pragma once

#include <filesystem>

#include "base/fd.hpp"

namespace twinbox::qemu {

// Makes it where it is missing. Throws base::Error where nothing could be written to it: better
// before a command has run than after.
void make_writable_directory(const std::filesystem::path& directory);

// A file without a name for an archive, on the disk of `directory`: what a command wrote may be
// more than this host's memory.
base::Fd archive_for(const std::filesystem::path& directory);

// Unpacks the tar archive in the descriptor `archive` (from its start) into `directory`, which is
// made when missing. What is in it stays but for files of the same names: a directory is not
// replaced by what is none, links are not followed, and its own mode, owner and times are kept.
// Nothing is written outside of it, whatever the archive says.
void extract_archive(int archive, const std::filesystem::path& directory);

}  // namespace twinbox::qemu
