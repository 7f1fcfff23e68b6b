#include "vmm/snapshot/machine_state.hpp"

#include "base/error.hpp"
#include "vmm/kvm/vm_state.hpp"
#include "vmm/snapshot/writer.hpp"

namespace twinbox::vmm::snapshot {
namespace {

std::vector<BusDevice*> devices_of(Machine& machine) {
  std::vector<BusDevice*> devices{&machine.serial->bus_device()};
  for (const auto& device : machine.small_devices) devices.push_back(device.get());
  for (const auto& device : machine.virtio_devices) devices.push_back(&device->bus_device());
  return devices;
}

}  // namespace

void save(Machine& machine, const std::string& path) {
  // Devices are drained before the interrupt controllers are saved: what they complete interrupts.
  StateWriter devices;
  for (auto* const device : devices_of(machine)) device->save(devices);
  StateWriter all;
  for (const auto& vcpu : machine.vcpus) {
    kvm::write_vcpu(all, kvm::save_vcpu(*vcpu, machine.vm));
  }
  kvm::save_vm(all, machine.vm);
  all.put_list(std::span<const std::byte>(devices.bytes()));
  write(path, machine.memory, static_cast<unsigned>(machine.vcpus.size()), all.bytes());
}

std::vector<kvm::SavedVcpu> read_vcpus(StateReader& reader, unsigned cpus) {
  std::vector<kvm::SavedVcpu> vcpus;
  for (unsigned i = 0; i < cpus; ++i) vcpus.push_back(kvm::read_vcpu(reader));
  return vcpus;
}

void restore(Machine& machine, const std::vector<kvm::SavedVcpu>& vcpus, StateReader& reader) {
  kvm::TscSetter tsc;
  for (std::size_t i = 0; i < vcpus.size(); ++i) {
    kvm::restore_vcpu(*machine.vcpus.at(i), machine.vm, vcpus[i], tsc);
  }
  kvm::restore_vm(reader, machine.vm);
  const auto bytes = reader.get_list<std::byte>();
  StateReader devices(bytes);
  for (auto* const device : devices_of(machine)) device->restore(devices);
  if (!reader.at_end() || !devices.at_end()) {
    throw base::Error(base::ErrorKind::unsupported,
                      "the snapshot has more state than this machine: it was taken of another one",
                      "start it with as many disks and ports as the machine had");
  }
}

}  // namespace twinbox::vmm::snapshot
