// The `linux` section of a config.json.
#pragma once

#include "base/json.hpp"
#include "sandbox/spec.hpp"

namespace twinbox::sandbox {

void read_linux_section(const base::JsonView& section, Spec& spec);
base::Json linux_to_json(const Spec& spec);

}  // namespace twinbox::sandbox
