// What engines that are not ours keep outside of a comparison's own directory, and its removal.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace twinbox::compare {

// The name of everything that belongs to the comparison that works in `workplace`: the beginning of
// its boxes' names, and the tag of its images.
std::string comparison_name(const std::filesystem::path& workplace);
// How docker or podman is called: podman with the cgroup driver and the runtime that work without
// systemd and on either version of control groups; both are said in the report.
std::vector<std::string> manager_command(const std::string& engine);
// The name of an image in docker's or podman's store, where nothing of a user's is overwritten.
std::string name_in_store(const std::string& image, const std::filesystem::path& workplace);

// Notes, before it is used, that `engine` ("docker", "runc", ...) may keep something.
void note_use(const std::filesystem::path& workplace, const std::string& engine);
// Removes boxes of our own that were left, and the boxes and images of the comparison from the
// engines that were noted, and ends the tracing of exits.
void remove_leftovers(const std::filesystem::path& workplace);

}  // namespace twinbox::compare
