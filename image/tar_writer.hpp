// A directory as a tar stream that depends on nothing but what is in it.
#pragma once

#include <filesystem>
#include <string>

#include "image/compression.hpp"

namespace twinbox::image {

// Writes `directory`'s content in pax format, sorted by name, with owners as numbers, times in
// whole seconds, hard links and the extended attributes that images carry (user.*,
// security.capability). Sockets are left out; what is mounted below appears as an empty directory.
void write_tar(const std::filesystem::path& directory, const Sink& sink);
// The same of whatever `base` is in the directory that `parent` is a handle on, under another name.
// No link is followed, whatever becomes of the tree meanwhile.
void write_tar(int parent, const std::string& base, const std::string& name, const Sink& sink);

// Whether an extended attribute belongs to an image's content (and not to this host's bookkeeping).
bool is_image_attribute(std::string_view name);

}  // namespace twinbox::image
