// The pages that machines write soon after they have gone on from a snapshot. Given to the next one
// before it runs, they cost it no page faults: a page that the guest reads first and then writes is
// mapped, taken away, copied and mapped again.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "vmm/memory/guest_memory.hpp"

namespace twinbox::vmm::snapshot {

// Whether it was never noted for this snapshot; not for an empty path.
bool lacks_working_set(const std::string& snapshot);
// Notes what this machine, which came from the snapshot, has written so far.
void record_working_set(const GuestMemory& memory, const std::string& snapshot);
// Gives the memory what was noted, as far as it fits; nothing where nothing is.
void prefetch_working_set(const GuestMemory& memory, const std::string& snapshot);

// One line for each run of pages, "OFFSET SIZE" in bytes. Reading takes what is a run of whole
// pages and leaves the rest: a set that is wrong costs time only.
std::string to_text(const std::vector<PageRange>& pages);
std::vector<PageRange> pages_from_text(std::string_view text);

}  // namespace twinbox::vmm::snapshot
