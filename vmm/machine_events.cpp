#include "vmm/machine_events.hpp"

#include <utility>

#include "base/syscall.hpp"

namespace twinbox::vmm {

EndMailbox::EndMailbox() : wake_(base::make_eventfd()) {}

void EndMailbox::post(EndRequest request) {
  {
    const std::lock_guard lock(mutex_);
    if (request_) return;
    request_ = std::move(request);
  }
  base::signal_eventfd(wake_.get());
}

std::optional<EndRequest> EndMailbox::take() {
  const std::lock_guard lock(mutex_);
  return request_;
}

}  // namespace twinbox::vmm
