// What comes from a pipe that an event loop watches.
#pragma once

#include <array>
#include <string>

#include "base/event_loop.hpp"
#include "base/fd.hpp"
#include "base/syscall.hpp"

namespace twinbox::tests {

// Takes what there is; at its end the pipe is closed and no longer watched.
inline void collect_pipe(base::EventLoop& loop, base::Fd& pipe, std::string& into) {
  std::array<std::byte, 65536> buffer{};
  while (const auto count = base::read_some(pipe.get(), buffer)) {
    if (*count == 0) {
      loop.remove(pipe.get());
      pipe.reset();
      return;
    }
    into.append(reinterpret_cast<const char*>(buffer.data()), *count);
  }
}

}  // namespace twinbox::tests
