// Joins a virtio device to its transport and the event loop; what is left for the machine's builder
// is a place on the bus, KVM's doorbells and an interrupt line.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/event_loop.hpp"
#include "vmm/devices/bus.hpp"
#include "vmm/memory/guest_memory.hpp"
#include "vmm/virtio/abi.hpp"
#include "vmm/virtio/mmio.hpp"

namespace twinbox::vmm::virtio {

// A 32-bit write of `value` at `offset` of the device's range may signal `descriptor` (KVM's
// ioeventfd) instead of reaching the bus; without that the bus write has the same effect.
struct Doorbell {
  std::uint64_t offset = abi::mmio::queue_notify;
  std::uint32_t value = 0;
  int descriptor = -1;
};

// Owns a device and its transport.
//
//   Attachment disk(loop, memory, std::make_unique<Block>(loop, ...), [&] { vm.interrupt(gsi); });
//   bus.add(address, layout::virtio_mmio_stride, disk.bus_device());
//   for (const Doorbell& bell : disk.doorbells())
//     vm.add_ioeventfd(address + bell.offset, 4, bell.value, bell.descriptor);
//
// Build and destroy it in the loop's thread, while no vCPU runs.
class Attachment {
 public:
  Attachment(base::EventLoop& loop, const GuestMemory& memory, std::unique_ptr<VirtioDevice> device,
             InterruptLine interrupt_line);
  Attachment(const Attachment&) = delete;
  Attachment& operator=(const Attachment&) = delete;
  ~Attachment();

  BusDevice& bus_device() { return transport_; }
  VirtioDevice& device() { return *device_; }
  std::vector<Doorbell> doorbells() const;

 private:
  base::EventLoop& loop_;
  std::unique_ptr<VirtioDevice> device_;
  MmioTransport transport_;
};

}  // namespace twinbox::vmm::virtio
