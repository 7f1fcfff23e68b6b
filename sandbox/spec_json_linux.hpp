// The `linux` section of a config.json.
#pragma once

#include "base/json.hpp"
#include "base/json_writer.hpp"
#include "sandbox/spec.hpp"

namespace twinbox::sandbox {

void read_linux_section(const base::JsonView& section, Spec& spec);
// The section's members, into the object that was begun.
void write_linux_section(base::JsonWriter& json, const Spec& spec);

}  // namespace twinbox::sandbox
