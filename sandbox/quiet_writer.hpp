// Writes to a descriptor of any kind without SIGPIPE and, where the kind allows, without blocking.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "base/fd.hpp"

namespace twinbox::sandbox {

// The descriptor's flags are left alone: a pipe or terminal may be shared with other programs,
// which would be surprised to find it non-blocking.
class QuietWriter {
 public:
  explicit QuietWriter(base::Fd fd);

  int get() const { return fd_.get(); }
  // Writes what fits now; nullopt when it takes nothing now. Throws base::Error when the reader is
  // gone or the write fails.
  std::optional<std::size_t> write(std::span<const std::byte> bytes) const;

 private:
  enum class Kind { socket, nonblocking, blocking };

  base::Fd fd_;
  Kind kind_;
};

}  // namespace twinbox::sandbox
