// What a machine that was made from a saved one must not share with it.
#pragma once

#include <cstdint>

#include "base/json.hpp"

namespace twinbox::agent {

// Steps the wall clock to `nanoseconds` since the epoch.
void set_clock(std::uint64_t nanoseconds);

// The identity of a go_on message: the wall clock is set, and the kernel's random numbers are
// others than those of any other copy from here on.
void become_copy(const base::JsonView& identity);

}  // namespace twinbox::agent
