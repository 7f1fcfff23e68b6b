// A box that goes on from a snapshot: `run --from`.
#pragma once

#include <filesystem>

#include "cli/new_box.hpp"
#include "cli/run_options.hpp"
#include "image/store.hpp"
#include "supervise/record.hpp"
#include "supervise/snapshot_record.hpp"

namespace twinbox::cli {

// Throws base::Error for all that is wrong with the snapshot, its image or this host; nothing is
// made.
NewBox plan_copy(RunOptions options);

// The image that a snapshot's machine has its disks from. Throws base::Error (not_found) naming
// both.
image::PreparedImage image_of(const supervise::SnapshotRecord& snapshot);

// Where a box that was made of a snapshot goes on from; empty for another.
std::filesystem::path saved_in(const supervise::BoxSettings& settings);

}  // namespace twinbox::cli
