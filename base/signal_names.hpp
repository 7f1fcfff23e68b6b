// Signals as people write them: "SIGTERM", "term", "15", "RTMIN+3".
#pragma once

#include <string_view>

namespace twinbox::base {

// A usage error names `what`.
int parse_signal(std::string_view text, std::string_view what);

}  // namespace twinbox::base
