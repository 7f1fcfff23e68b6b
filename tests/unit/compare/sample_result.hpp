// A plausible finished comparison, for tests of what is made from one.
#pragma once

#include "compare/result.hpp"

namespace twinbox::compare {

// Three engines, five runs after one warm-up, six instances; the machine is slowest and largest.
Result sample_result();

// Two hosts, seven engines with an A/A run, workloads, every state of density, exits.
Result rich_result();

}  // namespace twinbox::compare
