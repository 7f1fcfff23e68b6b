// A process that a child of ours makes in its own place: another child of ours, which goes on from
// there.
//
// Only the children of a process that enters a pid namespace are in that namespace. So what enters
// a box first becomes all that the box may see, out of its sight, and only then makes its
// successor.
//
//   auto successor = Successor::expected();
//   auto launched = launch(0, cgroup, [&](int report, int) { ...; successor.take_over(); ... });
//   launched.successor = std::move(successor);
#pragma once

#include <sys/types.h>

#include <utility>

#include "base/mapping.hpp"

namespace twinbox::container {

class Successor {
 public:
  // None is to come.
  Successor() = default;
  static Successor expected();

  // In the child. Returns in the successor alone, and the calling process ends. The successor has
  // nothing of what the parent is told by. Throws base::Error.
  void take_over() const;
  // In the parent: 0 as long as there is none. The kernel writes it before either process goes on,
  // so that it is final once the child has ended.
  pid_t pid() const;

 private:
  explicit Successor(base::Mapping shared) : shared_(std::move(shared)) {}

  base::Mapping shared_;  // with the child: a pid_t
};

}  // namespace twinbox::container
