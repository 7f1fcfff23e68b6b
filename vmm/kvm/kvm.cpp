#include "vmm/kvm/kvm.hpp"

#include <fcntl.h>

#include "base/error.hpp"
#include "vmm/kvm/host_support.hpp"
#include "vmm/kvm/ioctl.hpp"
#include "vmm/kvm/list_argument.hpp"

namespace twinbox::vmm::kvm {
namespace {

constexpr std::uint32_t cpuid_room = 256;  // KVM_MAX_CPUID_ENTRIES

}  // namespace

Kvm::Kvm(const std::string& device) : fd_(::open(device.c_str(), O_RDWR | O_CLOEXEC)) {
  const HostSupport host = probe_host(device);
  if (!fd_ || !host.runs_bare_metal()) {
    throw base::Error(base::ErrorKind::unsupported, host.explanation, host.hint);
  }
  run_size_ = static_cast<std::size_t>(
      checked_ioctl(fd(), KVM_GET_VCPU_MMAP_SIZE, 0, "KVM_GET_VCPU_MMAP_SIZE"));
}

bool Kvm::has(int capability) const {
  return checked_ioctl(fd(), KVM_CHECK_EXTENSION, capability, "KVM_CHECK_EXTENSION") > 0;
}

std::vector<kvm_cpuid_entry2> Kvm::supported_cpuid() const {
  ListArgument<kvm_cpuid_entry2> list(cpuid_room);
  checked_ioctl(fd(), get_supported_cpuid, list.header(), "KVM_GET_SUPPORTED_CPUID");
  return {list.entries().begin(), list.entries().end()};
}

std::vector<std::uint32_t> Kvm::msr_indices() const {
  // The count, then as many numbers; asked for with no room, KVM tells the count and fails.
  std::vector<std::uint32_t> list{0};
  if (::ioctl(fd(), get_msr_index_list, list.data()) != 0 && errno != E2BIG) {
    base::throw_errno("KVM refused KVM_GET_MSR_INDEX_LIST");
  }
  list.resize(1 + list[0]);
  checked_ioctl(fd(), get_msr_index_list, list.data(), "KVM_GET_MSR_INDEX_LIST");
  return {list.begin() + 1, list.end()};
}

}  // namespace twinbox::vmm::kvm
