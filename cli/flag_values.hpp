// What the texts of flags mean. Each throws base::Error (usage) that names the flag whose value
// makes no sense; an empty text is a flag that was not given.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sandbox/spec.hpp"

namespace twinbox::cli {

// A whole number from `least` on.
std::optional<std::int64_t> whole_number(const std::string& text, std::string_view flag,
                                         std::int64_t least);

std::optional<std::uint64_t> memory_limit(const std::string& text);
// Memory and swap together; -1 is no limit. `memory` is the limit of memory alone.
std::optional<std::int64_t> memory_swap_limit(const std::string& text,
                                              std::optional<std::uint64_t> memory);
std::optional<double> cpu_limit(const std::string& text);
// -1 and 0 are no limit, as docker has it.
std::optional<std::int64_t> pids_limit(const std::string& text);
// "0-2,4".
std::string cpu_set(const std::string& text);

// "KEY=VALUE" as it is; "KEY" with the caller's own value, or left out where the caller has none.
std::vector<std::string> variables(const std::vector<std::string>& given);
// The same in the lines of files, with comments (#).
std::vector<std::string> variables_of_files(const std::vector<std::string>& files);
// "KEY=VALUE", or "KEY" with an empty value; of `given` and of the lines of `files`.
std::map<std::string, std::string> labels(const std::vector<std::string>& given,
                                          const std::vector<std::string>& files);
// "KEY=VALUE".
std::map<std::string, std::string> pairs(const std::vector<std::string>& given,
                                         std::string_view flag);

void check_hostname(const std::string& name);
void check_working_directory(const std::string& directory);

// "nofile=1024:2048", "nproc=100", "core=unlimited".
sandbox::Rlimit resource_limit(const std::string& text);
// "/run", "/run:rw,size=64m".
sandbox::Mount temporary_file_system(const std::string& text);
// "/dev/fuse", "/dev/sda:/dev/disk:r": a device of this host.
sandbox::Device host_device(const std::string& text);

}  // namespace twinbox::cli
