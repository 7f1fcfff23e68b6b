// What the other end of a session says, made into checked values: it may be a guest, and say
// anything.
#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/json.hpp"
#include "sandbox/engine.hpp"

namespace twinbox::sandbox {

// Throws base::Error (system): the peer did what the protocol does not know.
[[noreturn]] void violation(const std::string& what);

// Text fit for a terminal, of bounded length.
std::string printable(std::string_view text);

// {"kind": ..., "message": ..., "hint": ...}; the kind is optional, since an agent tells the status
// of what never ran instead.
base::Error error_from(const base::JsonView& view, base::ErrorKind kind = base::ErrorKind::system);

// The payloads of the frames `exited` and `failed`.
Outcome parse_exited(std::string_view payload);
Outcome parse_failed(std::string_view payload);

}  // namespace twinbox::sandbox
