// Says in plain words why a machine ended, where, and what to try.
#pragma once

#include "vmm/machine.hpp"
#include "vmm/machine_config.hpp"
#include "vmm/machine_events.hpp"
#include "vmm/monitor_report.hpp"

namespace twinbox::vmm {

// For a machine whose vCPUs are stopped. `booted`: the guest had stamped that mark.
MonitorEnd describe_end(const EndRequest& request, const Machine& machine,
                        const MachineConfig& config, bool booted);

}  // namespace twinbox::vmm
