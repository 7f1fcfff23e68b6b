// Where samples come from: what has to be the same for them to stand in one report.
#pragma once

#include <vector>

#include "compare/parts.hpp"
#include "compare/plan.hpp"
#include "compare/result.hpp"

namespace twinbox::compare {

// For each engine the host, its version and its kernel; the digests of images, of twinbox's
// programs, of the lab's kernel and of its QEMU; processor and kernel of this host where it
// measures anything. Of files by their content: the same programs somewhere else are the same.
std::vector<Fact> provenance(const Plan& plan, const Division& division);

// "image busybox: sha256:1 then, sha256:2 now"; of those that differ, or that only one has.
std::vector<std::string> differences(const std::vector<Fact>& then, const std::vector<Fact>& now);

}  // namespace twinbox::compare
