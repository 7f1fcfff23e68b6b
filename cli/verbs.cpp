#include "cli/verbs.hpp"

namespace twinbox::cli {

std::vector<VerbGroup> all_verbs() { return {start_verbs(), box_verbs(), host_verbs()}; }

}  // namespace twinbox::cli
