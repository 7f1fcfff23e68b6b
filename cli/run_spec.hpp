// What the flags of `run` and `create` and an image make together: the one place where a command
// line becomes a workload.
#pragma once

#include "cli/run_options.hpp"
#include "image/store.hpp"
#include "sandbox/spec.hpp"
#include "supervise/record.hpp"

namespace twinbox::cli {

// Throw base::Error (usage) that names the flag whose value makes no sense.
sandbox::Spec make_spec(const RunOptions& options, const image::PreparedImage& image);
// Without the engine that runs it.
supervise::BoxSettings make_settings(const RunOptions& options, const image::PreparedImage& image);

// Of a box that goes on from where one with the settings `saved` was saved.
supervise::BoxSettings settings_of_copy(const RunOptions& options, supervise::BoxSettings saved);

// Whether the command attaches to "stdin", "stdout" or "stderr".
bool attaches_to(const RunOptions& options, std::string_view stream);

}  // namespace twinbox::cli
