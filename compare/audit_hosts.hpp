// The rows of the audit about the hosts on which something was measured.
#pragma once

#include <vector>

#include "compare/result.hpp"

namespace twinbox::compare {

// Of each host: what it is, and whether it is quiet, steady, up to date and known.
std::vector<AuditRow> audit_environment(const Result& result);

}  // namespace twinbox::compare
