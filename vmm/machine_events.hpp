// What vCPU threads tell the event loop: why the machine is to end, and the marks it reached.
#pragma once

#include <mutex>
#include <optional>
#include <string>

#include "base/fd.hpp"
#include "vmm/kvm/vcpu_thread.hpp"
#include "vmm/monitor_report.hpp"

namespace twinbox::vmm {

// Why the machine is to end; turned into words by describe_end().
struct EndRequest {
  EndReason reason = EndReason::internal_error;
  unsigned vcpu = 0;                  // the one it is about
  std::optional<kvm::VcpuEnd> fault;  // when a vCPU stopped by itself
};

// Holds the first request; later ones are consequences of it. Posted from any thread, taken by the
// event loop when descriptor() is readable.
class EndMailbox {
 public:
  EndMailbox();
  int descriptor() const { return wake_.get(); }
  void post(EndRequest request);
  std::optional<EndRequest> take();

 private:
  base::Fd wake_;
  std::mutex mutex_;  // guards request_
  std::optional<EndRequest> request_;
};

}  // namespace twinbox::vmm
