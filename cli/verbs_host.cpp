#include <array>

#include "cli/verbs.hpp"

namespace twinbox::cli {
namespace {

constexpr std::array verbs{
    Verb{"image", "import, list and remove images", image},
    Verb{"snapshot", "take, list and remove snapshots of running machines", snapshot},
    Verb{"standby", "keep machines that wait for a workload, so that it starts at once", standby},
    Verb{"boot", "boot a kernel in the microVM monitor with its console on the terminal", boot},
    Verb{"lab", "run commands on an emulated host that has hardware virtualization", lab},
    Verb{"compare", "measure process, container and microVM against each other", compare},
    Verb{"info", "show this host's engines, kernel, boxes and images", info},
    Verb{"completion", "print what bash needs to complete twinbox's words", completion},
    Verb{"doctor", "say what this host can and cannot do, and how to mend it", doctor},
};

}  // namespace

VerbGroup host_verbs() { return {"Images, and this host", verbs}; }

}  // namespace twinbox::cli
