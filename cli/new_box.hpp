// A box that is asked for: from the flags of `run` and `create` to its record in the store.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "cli/run_options.hpp"
#include "image/store.hpp"
#include "sandbox/spec.hpp"
#include "supervise/store.hpp"
#include "supervise/supervisor.hpp"

namespace twinbox::cli {

struct NewBox {
  std::string name;     // empty: one that is made up
  std::string id_file;  // empty: none
  supervise::BoxSettings settings;
  sandbox::Spec spec;
  std::shared_ptr<image::PreparedImage> image;
  std::filesystem::path saved{};  // what it goes on from; empty: it is started
};

// Before anything is made: throws base::Error (conflict) where the file of a box's id is there.
void check_id_file(const std::string& file);

// Throws base::Error for all that is wrong with the flags, the image or the host; nothing is made.
NewBox plan_box(const RunOptions& options);
// Makes it, and writes its id to where that was asked for. A box with a supervisor is not left over
// without one: it is as if that had been killed.
enum class MadeBy { command, supervisor };
supervise::OwnedBox make_box(const NewBox& box, MadeBy by);

// How a supervisor makes and starts this box.
supervise::SupervisorRequest launch_request(const NewBox& box);
// The same for a box that is in the store.
supervise::SupervisorRequest launch_request(const supervise::BoxRecord& record);

}  // namespace twinbox::cli
