// What a box has changed of its image's files, whether it runs or not.
#pragma once

#include <cstdint>
#include <vector>

#include "sandbox/box_report.hpp"
#include "supervise/record.hpp"

namespace twinbox::cli {

// Throws base::Error (unsupported) where the engine keeps no files of a box that does not run.
std::vector<sandbox::FileChange> changes_of(const supervise::BoxRecord& record);

// The bytes in the files that it has added or changed; 0 where none are kept.
std::uint64_t written_bytes(const supervise::BoxRecord& record);

}  // namespace twinbox::cli
