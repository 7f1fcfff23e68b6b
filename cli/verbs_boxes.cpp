#include <array>

#include "cli/verbs.hpp"

namespace twinbox::cli {
namespace {

constexpr std::array verbs{
    Verb{"ps", "list boxes", ps},
    Verb{"logs", "show what a box printed", logs},
    Verb{"inspect", "show all that is known of boxes and images", inspect},
    Verb{"stop", "ask boxes to end, and kill those that do not", stop},
    Verb{"kill", "send a signal to boxes", kill},
    Verb{"restart", "stop boxes, and start them again", restart},
    Verb{"pause", "let boxes stand still", pause},
    Verb{"unpause", "let paused boxes go on", unpause},
    Verb{"wait", "wait until boxes end, and print their exit statuses", wait},
    Verb{"rm", "remove boxes", rm},
    Verb{"rename", "give a box another name", rename},
    Verb{"update", "change limits and the restart policy of boxes", update},
    Verb{"stats", "show what boxes use", stats},
    Verb{"top", "list the processes of a box", top},
    Verb{"diff", "list the files that a box has changed", diff},
    Verb{"cp", "copy files between a box and this host", cp},
    Verb{"events", "show what happens to boxes", events},
};

}  // namespace

VerbGroup box_verbs() { return {"Look at boxes and manage them", verbs}; }

}  // namespace twinbox::cli
