// What a box has changed of its image's files.
#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "sandbox/box_report.hpp"
#include "sandbox/spec.hpp"

namespace twinbox::container {

// `upper` is a handle on the layer that the box writes to, `layers` are those below, lowest first.
// The places in `passed_over` are left out with all below them: they were made for mounts. Sorted
// by path.
std::vector<sandbox::FileChange> find_changes(int upper,
                                              const std::vector<std::filesystem::path>& layers,
                                              const std::set<std::string>& passed_over);

// Where the workload's mounts are: the directories made for them are none of its changes.
std::set<std::string> mount_places(const sandbox::Spec& spec);

}  // namespace twinbox::container
