// Builds a virtual machine from its configuration.
#pragma once

#include <functional>
#include <memory>

#include "base/error.hpp"
#include "base/event_loop.hpp"
#include "sandbox/stamp.hpp"
#include "vmm/machine.hpp"
#include "vmm/machine_config.hpp"
#include "vmm/machine_events.hpp"

namespace twinbox::vmm {

// What the machine tells its owner, all from vCPU threads.
struct MachineHooks {
  std::function<void(EndRequest)> on_end;
  std::function<void(std::uint32_t mark, const sandbox::Stamp& stamp)> on_mark;
};

// The snapshot could not be opened, is damaged or of another host, or cannot be restored.
class SnapshotError : public base::Error {
 public:
  explicit SnapshotError(const base::Error& error) : base::Error(error) {}
};

// A machine that is ready to start. Throws base::Error that says what is wrong with the
// configuration, a file it names, or the host; SnapshotError where it is the snapshot. The loop
// serves its devices and must outlive it.
std::unique_ptr<Machine> build_machine(const MachineConfig& config, base::EventLoop& loop,
                                       const MachineHooks& hooks);

}  // namespace twinbox::vmm
