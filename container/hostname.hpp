// The host name of a box, set by a process outside of it.
#pragma once

#include <sys/types.h>

#include <string>

#include "base/fd.hpp"

namespace twinbox::container {

// For a caller with one thread, which is in its own UTS namespace before and after. All throw
// base::Error.
class HostnameOf {
 public:
  explicit HostnameOf(pid_t process);
  void set(const std::string& name) const;

 private:
  base::Fd own_;
  base::Fd boxs_;
};

}  // namespace twinbox::container
