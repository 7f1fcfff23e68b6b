#include <array>

#include "cli/verbs.hpp"

namespace twinbox::cli {
namespace {

constexpr std::array verbs{
    Verb{"run", "run an image's workload as a container, a microVM or a plain process", run},
};

}  // namespace

VerbGroup start_verbs() { return {"Start boxes, and processes in them", verbs}; }

}  // namespace twinbox::cli
