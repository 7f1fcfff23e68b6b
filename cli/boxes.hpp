// The boxes of this host, as all verbs see them.
#pragma once

#include "supervise/store.hpp"

namespace twinbox::cli {

supervise::BoxStore box_store();

}  // namespace twinbox::cli
