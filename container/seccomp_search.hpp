// A search of the calls that are always allowed, to be run before a filter for all others.
#pragma once

#include <linux/filter.h>

#include <array>
#include <cstdint>
#include <set>
#include <vector>

namespace twinbox::container {

struct AllowedCalls {
  std::uint32_t architecture = 0;  // AUDIT_ARCH_...
  std::set<std::uint32_t> numbers;
};

// libseccomp compares a call with every number that it knows. Allowed numbers lie in some forty
// ranges, and a search of those is a fifth as long: the kernel checks, converts, compiles and tries
// a program whenever a box starts, which for the long one takes longer than its namespaces.
//
// Allows a call of `calls`, and goes on behind its last instruction with every other. It is made of
// the instructions with which the kernel can tell once and for all what it allows
// (seccomp_is_const_allow), so that running calls are not filtered at all.
std::vector<sock_filter> search_of_allowed(const std::array<AllowedCalls, 2>& calls);

}  // namespace twinbox::container
