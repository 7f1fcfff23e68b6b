// The virtio-mmio transport, version 2 (virtio 1.2, 4.2): registers on the bus before a device.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/fd.hpp"
#include "vmm/devices/bus.hpp"
#include "vmm/memory/guest_memory.hpp"
#include "vmm/virtio/device.hpp"

namespace twinbox::vmm::virtio {

// Enforces the driver's order of steps; what a driver must not do is ignored and counted. Entered
// from vCPU threads through the bus, and from the event loop through process_queue.
class MmioTransport final : public BusDevice, private DriverLink {
 public:
  // Everything is borrowed.
  MmioTransport(const GuestMemory& memory, VirtioDevice& device, InterruptLine interrupt_line);

  void read(std::uint64_t offset, std::span<std::byte> data) override;
  void write(std::uint64_t offset, std::span<const std::byte> data) override;

  // Drains the device before.
  void save(StateWriter& writer) override;
  // Into a device that no driver has used yet. Throws base::Error (unsupported) when the device is
  // of another kind, or of another size.
  void restore(StateReader& reader) override;

  std::uint16_t queue_count() const { return static_cast<std::uint16_t>(queues_.size()); }
  // An eventfd whose signal means that the driver has notified the queue: for the event loop to
  // watch (edge-triggered: nobody reads it), and for KVM to signal in place of an exit.
  int notify_descriptor(std::uint16_t queue) const { return queues_[queue].notify.get(); }
  // The loop's answer to that signal.
  void process_queue(std::uint16_t queue);

  // Writes that the specification forbids, since the start.
  std::uint64_t violations() const { return violations_.load(std::memory_order_relaxed); }

 private:
  // What the driver has chosen.
  struct Registers {
    std::uint32_t status = 0;
    std::uint32_t device_features_select = 0;
    std::uint32_t driver_features_select = 0;
    std::uint32_t queue_select = 0;
    std::uint64_t driver_features = 0;
  };
  struct QueueState {
    QueueLayout layout;
    std::uint16_t size_max = 0;
    bool ready = false;
    std::optional<Queue> opened;  // from ready to DRIVER_OK
    bool notified_early = false;  // before DRIVER_OK
    base::Fd notify;
  };

  std::uint32_t read_register(std::uint64_t offset);
  void read_config(std::uint64_t offset, std::span<std::byte> data);
  void write_register(std::uint64_t offset, std::uint32_t value);
  void write_queue_register(std::uint64_t offset, std::uint32_t value);
  void write_status(std::uint32_t value);
  bool features_acceptable() const;
  void set_driver_features(std::uint32_t value);
  void set_queue_ready(QueueState& queue);
  void check_same_device(StateReader& reader) const;
  void activate();
  void reset();
  std::uint64_t offered_features() const;
  RingFeatures ring_features() const;
  void violation(const char* what);

  // DriverLink, called with the device's mutex held.
  void interrupt() override;
  void needs_reset() override;
  void process_again(std::uint16_t queue) override;
  void raise(std::uint32_t cause);

  const GuestMemory& memory_;
  VirtioDevice& device_;  // its mutex guards all that follows but the atomics
  InterruptLine interrupt_line_;
  std::vector<QueueState> queues_;
  Registers registers_;
  std::atomic<std::uint32_t> interrupt_status_ = 0;
  std::atomic<std::uint64_t> violations_ = 0;
};

}  // namespace twinbox::vmm::virtio
