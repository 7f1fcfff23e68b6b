#include "vmm/virtio/attach.hpp"

#include <sys/epoll.h>

#include <utility>

namespace twinbox::vmm::virtio {

Attachment::Attachment(base::EventLoop& loop, const GuestMemory& memory,
                       std::unique_ptr<VirtioDevice> device, InterruptLine interrupt_line)
    : loop_(loop),
      device_(std::move(device)),
      transport_(memory, *device_, std::move(interrupt_line)) {
  for (std::uint16_t queue = 0; queue < transport_.queue_count(); ++queue) {
    // Edge-triggered, so that no notification costs a read of its eventfd.
    loop_.add(transport_.notify_descriptor(queue), EPOLLIN | EPOLLET,
              [this, queue](std::uint32_t) { transport_.process_queue(queue); });
  }
}

Attachment::~Attachment() {
  for (std::uint16_t queue = 0; queue < transport_.queue_count(); ++queue) {
    loop_.remove(transport_.notify_descriptor(queue));
  }
  const std::lock_guard lock(device_->mutex());
  device_->reset();
}

std::vector<Doorbell> Attachment::doorbells() const {
  std::vector<Doorbell> bells;
  for (std::uint16_t queue = 0; queue < transport_.queue_count(); ++queue) {
    bells.push_back({.value = queue, .descriptor = transport_.notify_descriptor(queue)});
  }
  return bells;
}

}  // namespace twinbox::vmm::virtio
