// The verbs of `twinbox snapshot` that only look: snapshot_show.cpp.
#pragma once

#include "cli/verbs.hpp"

namespace twinbox::cli {

int list_snapshots(const Arguments& arguments);
int inspect_snapshots(const Arguments& arguments);

}  // namespace twinbox::cli
