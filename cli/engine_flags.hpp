// Which flag means nothing for which kind of box.
#pragma once

#include <set>
#include <string>
#include <string_view>

namespace twinbox::cli {

// Throws base::Error (unsupported) that names the first flag which `engine` cannot give a meaning,
// and why.
void check_flags_of_engine(const std::set<std::string>& flags, std::string_view engine);

}  // namespace twinbox::cli
