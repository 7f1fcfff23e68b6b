// How an error is shown to the user.
#pragma once

#include <string_view>

#include "base/error.hpp"

namespace twinbox::cli {

// "twinbox: MESSAGE", and "hint: HINT" where there is one, on stderr. Returns the exit status of an
// error of our own.
int report(std::string_view message, std::string_view hint);
int report(const base::Error& error);

}  // namespace twinbox::cli
