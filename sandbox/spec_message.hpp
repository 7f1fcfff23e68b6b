// A Spec as our own processes tell it to each other, on the way of every start: the few members
// that most workloads differ in from default_spec(), or else all of its config.json.
#pragma once

#include <string>

#include "base/json.hpp"
#include "sandbox/spec.hpp"

namespace twinbox::sandbox {

// Without the members `vm` and `annotations`, which are of no use behind an engine, where all the
// others are as most have them. Throws base::Error (unsupported) where an argument is not UTF-8.
std::string spec_message(const Spec& spec);
Spec spec_from_message(const base::JsonView& message);

}  // namespace twinbox::sandbox
