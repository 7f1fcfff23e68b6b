// The exec stub as a sealed file in memory that can be executed.
#pragma once

#include "base/fd.hpp"

namespace twinbox::container {

base::Fd make_exec_stub();

}  // namespace twinbox::container
