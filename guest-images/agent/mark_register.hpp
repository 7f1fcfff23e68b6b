// Tells the monitor the moments of a boot by writes to its mark register.
#pragma once

#include <cstdint>
#include <string>

#include "base/mapping.hpp"
#include "sandbox/marks.hpp"

namespace twinbox::agent {

// Does nothing on a machine without the register.
class MarkRegister {
 public:
  // `address` as on the kernel's command line ("0xd1000000"); empty: there is no register.
  explicit MarkRegister(const std::string& address);
  void stamp(sandbox::Mark mark);

 private:
  base::Mapping page_;
};

}  // namespace twinbox::agent
