// What the host keeps of files in memory.
#pragma once

#include <filesystem>

namespace twinbox::compare {

// Has the kernel forget all that it can read again, of all processes of the host. What a running
// program maps stays. Throws base::Error where that is not allowed.
void drop_page_cache();

// Throws base::Error (usage) where `place` is in memory: no page cache of it can be cold.
void check_is_on_storage(const std::filesystem::path& place);

// Copies twinbox's programs to `directory`, for a measurement of what nobody runs meanwhile, as the
// measuring process itself is run. Returns the path of `twinbox` there.
std::filesystem::path copy_programs(const std::filesystem::path& directory);

}  // namespace twinbox::compare
