// The rows of the audit that set the engines' own settings side by side.
#pragma once

#include <vector>

#include "compare/result.hpp"

namespace twinbox::compare {

AuditRow audit_images(const Result& result);
AuditRow audit_budget(const Result& result);
// Of machines: none where there are fewer than two to compare.
std::vector<AuditRow> audit_kernels(const Result& result);
// None without a machine whose console is known.
std::vector<AuditRow> audit_consoles(const Result& result);
// What some engines do and others leave out: a limit, a filter, the making of a root.
AuditRow audit_isolation(const Result& result);
// Where what a workload writes goes to: memory, or a disk.
AuditRow audit_storage(const Result& result);
AuditRow audit_marks(const Result& result);
// Engines on several hosts.
AuditRow audit_hosts(const Result& result);

// What an engine says of itself; empty when it says nothing.
std::string setting_of(const Engine& engine, const std::string& name);

}  // namespace twinbox::compare
