// Names for what a cache keeps: other inputs, other names.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace twinbox::base {

// Changes whenever the file does, without reading it: reading and hashing megabytes would cost more
// than most caches save. Throws base::Error when it is not there.
std::string fingerprint(const std::filesystem::path& file);

// 16 hexadecimal digits: FNV-1a, a name and no proof of content.
std::string short_name(std::string_view inputs);

}  // namespace twinbox::base
