// The templates that are kept until the host boots again: KEY.snapshot with KEY.lock beside it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "base/fd.hpp"

namespace twinbox::vmm {

// $TWINBOX_RUN/templates.
std::filesystem::path templates_directory();
// Makes it: a file system in memory, of huge pages where the host has them. Then one fault of a
// guest maps 2 MiB of what it only reads, such as its kernel's code, in place of 4 KiB.
void make_templates_directory(const std::filesystem::path& directory);

// Locks the making of a template; empty while another process makes it.
base::Fd lock_template(const std::filesystem::path& snapshot);

// Of a template that a machine starts from: those that are not used for longest go first.
void note_use(const std::filesystem::path& snapshot);

// False while another process makes it, and where there is none. Machines that run keep what they
// have mapped.
bool remove_template(const std::filesystem::path& snapshot);
// The same for one that is in the way only: an error is logged.
bool try_to_remove(const std::filesystem::path& snapshot);

// What those have left that were killed while they wrote it; for the holder of its lock.
void remove_drafts(const std::filesystem::path& snapshot);

// For the holder of its lock, before it makes one: removes others, those first that have not been
// used for longest, until there is room. Throws base::Error where there is none, and so a machine
// need not be booted in vain.
void make_room(const std::filesystem::path& snapshot, const base::Fd& lock);
// Notes that the room there is now was not enough.
void note_no_room(const std::filesystem::path& snapshot, const base::Fd& lock);

// Of those beside `made`, the ones that have not been used for longest, beyond a few.
void remove_old_templates(const std::filesystem::path& made);

// All but those that are being made, and the copies of layers beside them that no machine uses.
// Returns the bytes of memory that are free now.
std::uint64_t prune_templates(const std::filesystem::path& directory);

}  // namespace twinbox::vmm
