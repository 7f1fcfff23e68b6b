// A plan as a message to a process that was made before it.
#pragma once

#include "container/plan.hpp"

namespace twinbox::container {

// What a plan is to be used for.
enum class PlanPart {
  root,   // to make the root of it, and to wait for another that says the rest
  whole,  // to become its program
};
struct ToldPlan {
  PlanPart part = PlanPart::whole;
  InitPlan plan;  // of a root the streams are -1
};

// `socket` is a blocking stream socket. Layers, directory and what the box runs are in it, and of a
// whole plan its streams; the control groups and namespaces are those that the receiver is in. Both
// throw base::Error.
void send_plan(int socket, PlanPart part, const InitPlan& plan);
// The streams are open descriptors of the caller's, who has all signals blocked. One whose sender
// is gone is an error.
ToldPlan receive_plan(int socket);

}  // namespace twinbox::container
