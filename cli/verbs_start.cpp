#include <array>

#include "cli/verbs.hpp"

namespace twinbox::cli {
namespace {

constexpr std::array verbs{
    Verb{"run", "run an image's workload as a container, a microVM or a plain process", run},
    Verb{"create", "make a box, to be started later", create},
    Verb{"start", "start boxes that do not run", start},
    Verb{"attach", "connect to the streams of a running box", attach},
    Verb{"exec", "run a further command in a running box", exec},
};

}  // namespace

VerbGroup start_verbs() { return {"Start boxes, and processes in them", verbs}; }

}  // namespace twinbox::cli
