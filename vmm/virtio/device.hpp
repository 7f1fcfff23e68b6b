// What every virtio device is to its transport, and what it may ask of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

#include "vmm/snapshot/archive.hpp"
#include "vmm/virtio/queue.hpp"

namespace twinbox::vmm::virtio {

// How a device reaches the guest's driver, whatever the transport.
class DriverLink {
 public:
  virtual ~DriverLink() = default;
  // Buffers were used.
  virtual void interrupt() = 0;
  // The device gives up until the driver resets it (2.1.2: NEEDS_RESET).
  virtual void needs_reset() = 0;
  // Has process_queue(index) called once more, after others had their turn.
  virtual void process_again(std::uint16_t queue) = 0;
};

// A device is entered from the event loop (process_queue, its own descriptors) and from vCPU
// threads (configuration, activate, reset). Whoever enters it holds mutex(); it is the only lock
// held then, save that a device may have inner ones of its own.
class VirtioDevice {
 public:
  virtual ~VirtioDevice() = default;

  virtual std::uint32_t type() const = 0;
  // Features of this type of device; the transport adds those of rings and of the transport.
  virtual std::uint64_t features() const = 0;
  // The largest size of each queue, by index; constant for the device's life.
  virtual std::span<const std::uint16_t> queue_sizes() const = 0;
  // The device's configuration structure; constant for the device's life.
  virtual std::span<const std::byte> config() const { return {}; }

  // The driver is ready: queues in order of their index, those not set up disabled. The link stays
  // valid until reset.
  void activate(std::vector<Queue> queues, DriverLink& link);
  // Forgets the driver: no guest memory is touched and no interrupt raised after the return.
  void reset();
  bool active() const { return link_ != nullptr; }
  // Looks for new chains in a queue; does nothing before activation or for an unknown queue.
  void process_queue(std::uint16_t index);

  // For a snapshot, while no vCPU runs: completes what is being executed; the rest stays in the
  // queues or is in the state that is saved.
  void drain();
  void save(StateWriter& writer) const;
  // After activate(), if the driver was ready; never where it was not.
  void restore(StateReader& reader);

  std::mutex& mutex() { return mutex_; }
  // Requests that were malformed, since the device was made.
  std::uint64_t faults() const { return faults_; }

 protected:
  virtual void on_activate() {}
  virtual void on_reset() {}
  virtual void on_drain() {}
  // State of its own, beside the queues.
  virtual void on_save(StateWriter&) const {}
  virtual void on_restore(StateReader&) {}
  virtual void on_queue(std::uint16_t index) = 0;

  Queue& queue(std::uint16_t index) { return queues_[index]; }
  // Serves the chains of a queue through `serve(chain)` (which completes or keeps it), at most a
  // queue's length of them in one turn, then interrupts the driver as needed.
  template <typename Serve>
  void serve_chains(std::uint16_t index, Serve serve);
  // Interrupts the driver if it wants to know of completions; stops the device on a broken queue.
  void settle(std::uint16_t index);
  // Counts and, at a limited rate, logs something malformed that fails one request only.
  void count_fault(const char* what);

  DriverLink& link() { return *link_; }

 private:
  std::mutex mutex_;
  std::vector<Queue> queues_;
  DriverLink* link_ = nullptr;
  std::uint64_t faults_ = 0;
};

template <typename Serve>
void VirtioDevice::serve_chains(std::uint16_t index, Serve serve) {
  Queue& chains = queue(index);
  // A guest that refills the queue while it is served must not keep the event loop to itself.
  unsigned budget = chains.size();
  do {
    chains.disable_notifications();
    while (budget > 0) {
      auto chain = chains.pop();
      if (!chain) break;
      --budget;
      serve(std::move(*chain));
    }
  } while (budget > 0 && chains.enable_notifications());
  if (budget == 0 && chains.size() != 0) link().process_again(index);
  settle(index);
}

}  // namespace twinbox::vmm::virtio
