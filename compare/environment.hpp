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

// Of all processors since boot, in ticks of the kernel's clock; nothing where it cannot be told.
struct ProcessorTimes {
  double all = 0;
  double stolen = 0;  // that a hypervisor gave to others
};
ProcessorTimes processor_times(const std::filesystem::path& root);

// "0.12 %", the share that was stolen from `begin` to `end`.
std::string stolen_share(const ProcessorTimes& begin, const ProcessorTimes& end);

// The fact that tells it of the measurement; of one that was interrupted, of its last part.
constexpr const char* stolen_meanwhile = "stolen time meanwhile";

// The value of a fact; empty when it is not there.
std::string fact(const std::vector<Fact>& facts, const std::string& name);

// UTC, as RFC 3339 has it.
std::string time_of_day();

// The manifest digest of an image in the local store; empty when it cannot be told.
std::string image_digest(const std::string& name);

}  // namespace twinbox::compare
