// Capabilities by name, and the sets of the calling process.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace twinbox::container {

// A bit per capability number.
using CapabilityMask = std::uint64_t;

// "CAP_CHOWN" and so on, by number.
std::span<const std::string_view> capability_names();
// "CAP_CHOWN" and so on; a usage error names one that does not exist.
CapabilityMask parse_capabilities(const std::vector<std::string>& names);

// Nothing outside of `kept` can be had again: leaves it in the bounding set alone.
void limit_bounding_set(CapabilityMask kept);
// Permitted and effective become `kept`, as far as they are held; inheritable and ambient empty.
void set_capabilities(CapabilityMask kept);

}  // namespace twinbox::container
