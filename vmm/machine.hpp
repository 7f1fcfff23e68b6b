// A virtual machine with all its parts, in the order in which they depend on each other.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "base/event_loop.hpp"
#include "vmm/devices/acpi_power.hpp"
#include "vmm/devices/bus.hpp"
#include "vmm/devices/cmos.hpp"
#include "vmm/devices/keyboard_controller.hpp"
#include "vmm/devices/mark_register.hpp"
#include "vmm/devices/serial_console.hpp"
#include "vmm/kvm/kvm.hpp"
#include "vmm/kvm/vcpu.hpp"
#include "vmm/kvm/vcpu_thread.hpp"
#include "vmm/kvm/vm.hpp"
#include "vmm/memory/guest_memory.hpp"
#include "vmm/memory/image_memory.hpp"
#include "vmm/monitor_report.hpp"
#include "vmm/virtio/attach.hpp"

namespace twinbox::vmm {

// Made by build_machine(); used and destroyed in the event loop's thread.
class Machine {
 public:
  // Lets all vCPUs run, or takes them out of the guest for good.
  void start();
  void stop();
  // All vCPUs stand still until resume(), which tells the guest's clock that it did.
  void pause();
  void resume();

  ExitCounts exits() const;
  std::vector<std::string> last_serial_lines() const { return serial->last_lines(); }

  // Destroyed from the bottom up: vCPUs first, memory last.
  GuestMemory memory;
  std::optional<ImageMemory> image;
  kvm::Kvm kvm;
  kvm::Vm vm{kvm};
  std::unique_ptr<SerialConsole> serial;
  std::vector<std::unique_ptr<BusDevice>> small_devices;
  std::vector<std::unique_ptr<virtio::Attachment>> virtio_devices;
  Bus ports;
  Bus mmio;
  std::vector<std::unique_ptr<kvm::Vcpu>> vcpus;
  std::vector<std::unique_ptr<kvm::VcpuThread>> threads;

  explicit Machine(std::uint64_t memory_bytes) : memory(memory_bytes) {}
};

}  // namespace twinbox::vmm
