// A plan as a message to a process that was made before it.
#pragma once

#include "container/plan.hpp"

namespace twinbox::container {

// `socket` is a blocking stream socket. Layers, directory, streams and what the box runs are in it;
// the control groups and namespaces are those that the receiver is in. Both throw base::Error.
void send_plan(int socket, const InitPlan& plan);
// The streams are open descriptors of the caller's, who has all signals blocked. One whose sender
// is gone is an error.
InitPlan receive_plan(int socket);

}  // namespace twinbox::container
