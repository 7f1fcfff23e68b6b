// A plausible finished comparison, for tests of what is made from one.
#pragma once

#include "compare/result.hpp"

namespace twinbox::compare {

// Three engines, five runs after one warm-up, six instances; the machine is slowest and largest.
Result sample_result();

}  // namespace twinbox::compare
