#include "vmm/kvm/capabilities.hpp"

#include <linux/kvm.h>
#include <sys/ioctl.h>

#include <array>
#include <string_view>

namespace twinbox::vmm::kvm {
namespace {

struct Capability {
  int number;
  std::string_view name;
};

// NOLINTNEXTLINE(cppcoreguidelines-macro-usage): the name is the point.
#define TWINBOX_CAPABILITY(name) \
  Capability { name, #name }

constexpr std::array needed{
    TWINBOX_CAPABILITY(KVM_CAP_IRQCHIP),        TWINBOX_CAPABILITY(KVM_CAP_USER_MEMORY),
    TWINBOX_CAPABILITY(KVM_CAP_SET_TSS_ADDR),   TWINBOX_CAPABILITY(KVM_CAP_EXT_CPUID),
    TWINBOX_CAPABILITY(KVM_CAP_IOEVENTFD),      TWINBOX_CAPABILITY(KVM_CAP_MP_STATE),
    TWINBOX_CAPABILITY(KVM_CAP_IMMEDIATE_EXIT),
};

#undef TWINBOX_CAPABILITY

}  // namespace

std::vector<std::string> missing_capabilities(int kvm_fd) {
  std::vector<std::string> missing;
  for (const auto& [number, name] : needed) {
    if (::ioctl(kvm_fd, KVM_CHECK_EXTENSION, number) <= 0) missing.emplace_back(name);
  }
  return missing;
}

}  // namespace twinbox::vmm::kvm
