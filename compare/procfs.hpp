// Parsers of procfs texts: what a process holds in memory, and who its parent is.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compare/result.hpp"

namespace twinbox::compare {

// One mapping of /proc/PID/smaps.
struct MappingEntry {
  std::uint64_t start = 0;
  std::uint64_t end = 0;
  std::string permissions;      // "rw-p"
  std::string name;             // path, "[heap]", "[anon:...]" or empty
  bool no_reserve = false;      // VmFlags has "nr"
  bool not_forked = false;      // VmFlags has "dc"
  std::uint64_t anonymous = 0;  // resident bytes that are no file's, or not any more
  Footprint footprint;
};

std::vector<MappingEntry> parse_smaps(std::string_view text);

Footprint total(const std::vector<MappingEntry>& mappings);

// The part of a monitor's mappings that is the guest's memory: the mapping named
// "twinbox-guest-ram", or on kernels that do not keep names the largest unreserved writable one,
// with everything unreserved that touches it (the kernel's file is mapped into the middle of it).
std::vector<MappingEntry> guest_ram(const std::vector<MappingEntry>& mappings);

// The part that is the files of an image in the guest's physical memory, which it can only read.
std::vector<MappingEntry> guest_image(const std::vector<MappingEntry>& mappings);

// "MemAvailable" -> bytes, of /proc/meminfo.
std::map<std::string, std::uint64_t> parse_meminfo(std::string_view text);

// The parent in /proc/PID/stat; a command name may hold blanks and brackets.
std::optional<pid_t> parse_parent(std::string_view stat);

// `root` and all its descendants.
std::vector<pid_t> descendants(const std::map<pid_t, pid_t>& parent_of, pid_t root);

}  // namespace twinbox::compare
