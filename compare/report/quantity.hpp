// Values of metrics with their units, as people read them.
#pragma once

#include <string>

namespace twinbox::compare {

// "12.3 ms" of "ns", "4.0 MiB" of "B", "90.9 k/s" of "1/s", "3.1 MiB/s" of "MiB/s".
std::string format_quantity(double value, const std::string& unit);

}  // namespace twinbox::compare
