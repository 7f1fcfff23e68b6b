// The bytes in which a box's first process reports to its parent, until it is the workload.
//
// Also for the exec stub, which has no library: plain structures only.
#pragma once

#include <cstdint>

namespace twinbox::container::report_abi {

enum Type : std::uint32_t {
  ready = 1,        // root and cgroups are in place
  executing = 2,    // the next thing it does is to execute the workload
  failed = 3,       // an error; message and hint follow
  terminal = 5,     // comes with the descriptor of the terminal's master side
  upper = 6,        // comes with a descriptor of the layer that the box writes to
  exec_failed = 4,  // execve() of the workload failed with the errno in `value`
};

struct Header {
  std::uint32_t type;
  std::uint32_t kind;   // failed: base::ErrorKind
  std::int32_t status;  // failed: the status to exit with
  std::uint32_t message_size;
  std::uint32_t hint_size;
  std::uint32_t reserved;
  std::uint64_t time;   // ready: CLOCK_MONOTONIC in nanoseconds
  std::uint64_t value;  // ready: inode of the mount namespace; exec_failed: errno
  std::uint64_t cpu;    // ready: CPU time of the run in nanoseconds; 0 where nobody counts it
};
static_assert(sizeof(Header) == 48);

// Of each of the two texts of an error.
inline constexpr std::uint32_t longest_text = 32 * 1024;

// Where the exec stub finds the pipe.
inline constexpr int report_descriptor = 3;

}  // namespace twinbox::container::report_abi
