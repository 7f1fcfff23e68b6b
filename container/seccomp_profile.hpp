// The default system call filter: which calls a container is denied, and the program that does it.
//
// As docker's: what changes the host, reaches past the namespaces or has no use but attack is
// denied, some of it unless the container holds the capability that the call is for anyway. Calls
// that are newer than the profile fail with ENOSYS, so that a C library falls back to older ones.
#pragma once

#include <linux/filter.h>

#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "container/capabilities.hpp"

namespace twinbox::container {

using FilterProgram = std::vector<sock_filter>;

// Compiled by libseccomp, which takes some milliseconds.
FilterProgram compile_filter(CapabilityMask capabilities);

// Of `capabilities` those that change the filter.
CapabilityMask filter_relevant(CapabilityMask capabilities);

// The calls by name that are allowed whatever their arguments, and the arguments that the others
// are allowed with.
std::set<std::string> allowed_without_conditions(CapabilityMask capabilities);
std::uint64_t denied_clone_flags();
std::vector<std::uint64_t> allowed_personalities();
// Families below the first, and the others.
std::pair<int, std::vector<int>> allowed_socket_families();

// docker's default set, for which the filter is compiled when twinbox is built.
CapabilityMask default_filter_capabilities();

}  // namespace twinbox::container
