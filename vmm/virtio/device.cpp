#include "vmm/virtio/device.hpp"

#include "base/log.hpp"

namespace twinbox::vmm::virtio {
namespace {

// A guest can cause as many as it likes; the first few tell the story.
constexpr std::uint64_t logged_faults = 10;

}  // namespace

void VirtioDevice::activate(std::vector<Queue> queues, DriverLink& link) {
  queues_ = std::move(queues);
  link_ = &link;
  on_activate();
}

void VirtioDevice::reset() {
  if (!active()) return;
  on_reset();
  queues_.clear();
  link_ = nullptr;
}

void VirtioDevice::process_queue(std::uint16_t index) {
  if (active() && index < queues_.size()) on_queue(index);
}

void VirtioDevice::drain() {
  if (active()) on_drain();
}

void VirtioDevice::save(StateWriter& writer) const {
  for (const auto& saved : queues_) {
    writer.put(saved.save());
    writer.put(saved.fault() != nullptr);
  }
  if (active()) on_save(writer);
}

void VirtioDevice::restore(StateReader& reader) {
  for (auto& restored : queues_) {
    restored.restore(reader.get<Queue::Position>());
    if (reader.get<bool>()) restored.restore_fault();
  }
  if (active()) on_restore(reader);
}

void VirtioDevice::settle(std::uint16_t index) {
  Queue& settled = queue(index);
  if (settled.interrupt_wanted()) link().interrupt();
  if (const char* fault = settled.take_fault_report()) {
    count_fault(fault);
    link().needs_reset();
  }
}

void VirtioDevice::count_fault(const char* what) {
  if (++faults_ <= logged_faults) {
    base::log(base::LogLevel::warning, "the guest's driver of virtio device type {} is wrong: {}",
              type(), what);
  }
}

}  // namespace twinbox::vmm::virtio
