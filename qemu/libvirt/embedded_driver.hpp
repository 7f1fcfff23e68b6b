// libvirt's QEMU driver inside this process: no daemon, all its files below one directory of ours.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "qemu/libvirt/library.hpp"
#include "sandbox/owned_directory.hpp"

namespace twinbox::qemu::libvirt {

// Where the drivers of all processes have their directories. Short, because sockets are made below.
std::filesystem::path driver_directories();
// Ends and removes what drivers left whose process was killed.
void sweep_drivers();

class EventThread;

// libvirt allows a process one for its whole life; everybody who has a machine shares it. Any
// thread may use it.
class EmbeddedDriver {
 public:
  // Opens it the first time. It is closed, and its directory removed, when the process exits.
  static EmbeddedDriver& of_this_process();
  EmbeddedDriver(const EmbeddedDriver&) = delete;
  EmbeddedDriver& operator=(const EmbeddedDriver&) = delete;
  ~EmbeddedDriver();

  // Starts a machine; returns when its processors run. `name` is the one in `xml`.
  virDomainPtr start(const std::string& name, const std::string& xml);
  // Lets go of a machine whose QEMU is gone, with all that libvirt keeps of it.
  void forget(virDomainPtr domain);
  // Its processors stand still, or go on, when this returns: QEMU answers at once.
  void suspend(virDomainPtr domain);
  void resume(virDomainPtr domain);
  // QEMU's pid is in it, from before it is executed until it is forgotten.
  std::filesystem::path pid_file(const std::string& name) const;

 private:
  EmbeddedDriver();

  sandbox::OwnedDirectory directory_;
  std::unique_ptr<EventThread> events_;
  virConnectPtr connection_ = nullptr;
};

}  // namespace twinbox::qemu::libvirt
