// The verbs of `twinbox standby` that are about machines which wait already: standby_show.cpp.
#pragma once

#include "cli/verbs.hpp"

namespace twinbox::cli {

int list_standbys(const Arguments& arguments);
int stop_standbys(const Arguments& arguments);

}  // namespace twinbox::cli
