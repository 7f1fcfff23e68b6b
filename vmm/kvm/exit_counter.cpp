#include "vmm/kvm/exit_counter.hpp"

#include <linux/kvm.h>

#include <algorithm>
#include <string_view>

namespace twinbox::vmm::kvm {
namespace {

std::string_view reason_name(std::size_t reason) {
  switch (reason) {
    case KVM_EXIT_UNKNOWN:
      return "unknown";
    case KVM_EXIT_EXCEPTION:
      return "exception";
    case KVM_EXIT_IO:
      return "io";
    case KVM_EXIT_HYPERCALL:
      return "hypercall";
    case KVM_EXIT_DEBUG:
      return "debug";
    case KVM_EXIT_HLT:
      return "hlt";
    case KVM_EXIT_MMIO:
      return "mmio";
    case KVM_EXIT_IRQ_WINDOW_OPEN:
      return "irq_window";
    case KVM_EXIT_SHUTDOWN:
      return "shutdown";
    case KVM_EXIT_FAIL_ENTRY:
      return "fail_entry";
    case KVM_EXIT_INTR:
      return "intr";
    case KVM_EXIT_INTERNAL_ERROR:
      return "internal_error";
    case KVM_EXIT_SYSTEM_EVENT:
      return "system_event";
    default:
      return "other";
  }
}

}  // namespace

void ExitCounter::count(std::uint32_t reason) {
  auto& slot = counts_[std::min<std::size_t>(reason, slots - 1)];
  // One writer: no read-modify-write is needed, and none is paid for on each exit.
  slot.store(slot.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

void ExitCounter::add_to(std::map<std::string, std::uint64_t>& totals) const {
  for (std::size_t reason = 0; reason < slots; ++reason) {
    const auto count = counts_[reason].load(std::memory_order_relaxed);
    if (count != 0) totals[std::string(reason_name(reason))] += count;
  }
}

}  // namespace twinbox::vmm::kvm
