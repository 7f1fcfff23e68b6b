#include "guest-images/agent/guest.hpp"

#include <sys/reboot.h>
#include <unistd.h>

namespace twinbox::agent {

void run_guest() {
  ::sync();
  ::reboot(RB_POWER_OFF);
  ::_exit(0);
}

}  // namespace twinbox::agent
