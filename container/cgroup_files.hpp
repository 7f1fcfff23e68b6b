// Reading and writing the control files of a group.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace twinbox::container {

// Never creates: a control file that is not there is a controller that is not there.
void write_control(const std::filesystem::path& path, std::string_view value);
bool write_control_if_there(const std::filesystem::path& path, std::string_view value);
// Empty where the file is not there.
std::string read_control(const std::filesystem::path& path);
// A file of one number; nullopt for "max" and where there is none.
std::optional<std::uint64_t> read_number(const std::filesystem::path& path);
// The number after `key` in a file of "key number" lines; 0 when it is not there.
std::uint64_t read_counter(const std::filesystem::path& path, std::string_view key);

}  // namespace twinbox::container
