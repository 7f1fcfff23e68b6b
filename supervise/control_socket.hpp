// The Unix socket `control.sock` in a box's directory.
#pragma once

#include <filesystem>

#include "base/fd.hpp"

namespace twinbox::supervise {

// Non-blocking; a socket of that name is replaced. The directory's path may be of any length.
base::Fd listen_in(const std::filesystem::path& directory);
// Throws base::Error (conflict) when nobody listens.
base::Fd connect_in(const std::filesystem::path& directory);

}  // namespace twinbox::supervise
