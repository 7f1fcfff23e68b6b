// What the host was like while it was measured.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "compare/result.hpp"

namespace twinbox::compare {

// Facts that change results, each read from procfs and sysfs below `root`; what the host does not
// tell is "unknown".
std::vector<Fact> collect_facts(const std::filesystem::path& root);

// The value of a fact; empty when it is not there.
std::string fact(const std::vector<Fact>& facts, const std::string& name);

// UTC, as RFC 3339 has it.
std::string time_of_day();

// The manifest digest of an image in the local store; empty when it cannot be told.
std::string image_digest(const std::string& name);

}  // namespace twinbox::compare
