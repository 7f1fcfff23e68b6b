// Waits for QEMU processes that libvirt has put beside itself, so that it soon sees them gone.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <set>
#include <thread>

namespace twinbox::qemu::libvirt {

// libvirt has its QEMUs leave it (a double fork) and learns of their end by asking, again and
// again, whether there is such a process. A dead one is there until its new parent has waited for
// it, and the init of a container may take seconds to do so. Such orphans become children of this
// process instead (see EmbeddedDriver); while libvirt starts and ends some by itself, this one
// waits for them. It reaps nobody but processes named by a pid file below the driver's directory,
// none of which libvirt waits for itself.
class OrphanReaper {
 public:
  explicit OrphanReaper(std::filesystem::path driver_directory);
  OrphanReaper(const OrphanReaper&) = delete;
  OrphanReaper& operator=(const OrphanReaper&) = delete;
  // Joins the thread.
  ~OrphanReaper() = default;

 private:
  void reap_until(const std::stop_token& stop);
  void look_for_probes();

  std::filesystem::path directory_;
  std::set<pid_t> probes_;
  std::jthread thread_;
};

}  // namespace twinbox::qemu::libvirt
