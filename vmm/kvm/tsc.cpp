#include "vmm/kvm/tsc.hpp"

#include <array>

#include "vmm/kvm/ioctl.hpp"
#include "vmm/kvm/list_argument.hpp"

namespace twinbox::vmm::kvm {
namespace {

// Of Linux Documentation/virt/kvm/devices/vcpu.rst, section 4: what is added to the host's counter,
// scaled to the guest's rate. Older headers lack both names.
constexpr std::uint32_t tsc_control = 0;  // KVM_VCPU_TSC_CTRL
constexpr std::uint64_t tsc_offset = 0;   // KVM_VCPU_TSC_OFFSET

kvm_device_attr offset_attribute(std::uint64_t& offset) {
  return {.flags = 0,
          .group = tsc_control,
          .attr = tsc_offset,
          .addr = reinterpret_cast<std::uint64_t>(&offset)};
}

std::optional<std::uint64_t> current_offset(const Vcpu& vcpu) {
  std::uint64_t offset = 0;
  auto attribute = offset_attribute(offset);
  if (::ioctl(vcpu.fd(), KVM_GET_DEVICE_ATTR, &attribute) != 0) return std::nullopt;
  return offset;
}

void set_offset(const Vcpu& vcpu, std::uint64_t offset) {
  auto attribute = offset_attribute(offset);
  checked_ioctl(vcpu.fd(), KVM_SET_DEVICE_ATTR, &attribute, "KVM_VCPU_TSC_OFFSET");
}

void set_value(const Vcpu& vcpu, std::uint64_t value) {
  const std::array entries{kvm_msr_entry{msr_tsc, 0, value}};
  ListArgument<kvm_msr_entry> list(entries);
  checked_ioctl(vcpu.fd(), set_msrs, list.header(), "KVM_SET_MSRS");
}

// As KVM has it: within a second of each other.
bool are_in_step(std::uint64_t one, std::uint64_t other, std::uint32_t khz) {
  const std::uint64_t second = std::uint64_t{khz} * 1000;
  return one - other < second || other - one < second;
}

}  // namespace

std::uint64_t read_tsc(const Vcpu& vcpu) {
  const std::array entries{kvm_msr_entry{msr_tsc, 0, 0}};
  ListArgument<kvm_msr_entry> list(entries);
  checked_ioctl(vcpu.fd(), get_msrs, list.header(), "KVM_GET_MSRS");
  return list.entries()[0].data;
}

TscSetter::First TscSetter::begin(const Vcpu& vcpu, std::uint64_t value) {
  const auto offset = current_offset(vcpu);
  if (offset) return {value, *offset + (value - read_tsc(vcpu))};
  constexpr std::uint64_t far = std::uint64_t{1} << 62;
  set_value(vcpu, value + far);
  return {value, std::nullopt};
}

void TscSetter::set(const Vcpu& vcpu, std::uint64_t value, std::uint32_t khz) {
  if (!first_) first_ = begin(vcpu, value);
  if (!first_->offset) return set_value(vcpu, value);
  // What the guest itself has set apart stays so.
  const bool in_step = are_in_step(value, first_->value, khz);
  set_offset(vcpu, *first_->offset + (in_step ? 0 : value - first_->value));
}

}  // namespace twinbox::vmm::kvm
