// What is not alike around the figures of two reports.
#pragma once

#include <string>
#include <vector>

#include "compare/result.hpp"

namespace twinbox::compare {

// Warnings, of hosts, programs and caches. Throws base::Error (conflict) when the hosts are of
// another kind, processor or kernel and `across_hosts` is not set.
std::vector<std::string> compare_environments(const Result& before, const Result& after,
                                              bool across_hosts);

}  // namespace twinbox::compare
