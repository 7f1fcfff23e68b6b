// What a workload may do, by the flags of `run`, `create` and `exec`.
#pragma once

#include <string>
#include <vector>

#include "sandbox/spec.hpp"

namespace twinbox::cli {

// docker's rules: names with or without CAP_, in either case; ALL may be given, and taken but for
// what is given by name. Throws base::Error (usage) naming the flag and what is no capability.
std::vector<std::string> changed_capabilities(const std::vector<std::string>& capabilities,
                                              const std::vector<std::string>& add,
                                              const std::vector<std::string>& drop);

// --privileged: all capabilities, no filter, nothing masked or read-only.
void make_privileged(sandbox::Spec& spec);

// "no-new-privileges[:true|false]", "seccomp=unconfined", "seccomp=FILE". Throws base::Error
// (usage).
void apply_security_option(const std::string& option, sandbox::Spec& spec);

}  // namespace twinbox::cli
