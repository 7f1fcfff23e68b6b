// The virtio-console port that leads to the host.
#pragma once

#include <chrono>
#include <string_view>

#include "base/fd.hpp"

namespace twinbox::agent {

// Hears of devices from its making on; made before the driver is loaded, so that waiting for the
// port misses nothing.
class HostPort {
 public:
  HostPort();
  // Waits for the port named `name` and opens it. Throws base::Error when it does not come in time.
  base::Fd open(std::string_view name, std::chrono::milliseconds patience);

 private:
  base::Fd events_;
};

}  // namespace twinbox::agent
