#include "vmm/builder.hpp"

#include <future>
#include <new>
#include <optional>
#include <string>
#include <utility>

#include "base/error.hpp"
#include "base/processor.hpp"
#include "base/size.hpp"
#include "base/syscall.hpp"
#include "vmm/boot/acpi/tables.hpp"
#include "vmm/boot/linux_boot.hpp"
#include "vmm/boot/mp_table.hpp"
#include "vmm/kvm/cpuid.hpp"
#include "vmm/kvm/cpuid_match.hpp"
#include "vmm/kvm/entry_registers.hpp"
#include "vmm/layout.hpp"
#include "vmm/snapshot/machine_state.hpp"
#include "vmm/snapshot/reader.hpp"
#include "vmm/snapshot/working_set.hpp"
#include "vmm/virtio/balloon.hpp"
#include "vmm/virtio/block.hpp"
#include "vmm/virtio/console.hpp"
#include "vmm/virtio/pmem.hpp"
#include "vmm/virtio/rng.hpp"

namespace twinbox::vmm {
namespace {

using base::Error;
using base::ErrorKind;

constexpr unsigned max_cpus = 8;

void check(const MachineConfig& config) {
  if (config.cpus < 1 || config.cpus > max_cpus) {
    throw Error(ErrorKind::usage, fmt::format("a machine cannot have {} processors", config.cpus),
                fmt::format("give it 1 to {}", max_cpus));
  }
  if (config.memory_bytes < 2 * base::mebibyte) {
    throw Error(ErrorKind::usage,
                fmt::format("{} of memory are too little for any kernel",
                            base::format_size(config.memory_bytes)),
                "give the machine at least 2 MiB, and 96 MiB for a stock Linux");
  }
}

InterruptLine wire_interrupt(const Machine& machine, std::uint32_t gsi) {
  return [&vm = machine.vm, gsi] { vm.interrupt(gsi); };
}

template <typename Device, typename... Args>
Device& add_small_device(Machine& machine, Args&&... args) {
  auto device = std::make_unique<Device>(std::forward<Args>(args)...);
  Device& reference = *device;
  machine.small_devices.push_back(std::move(device));
  return reference;
}

void add_serial_port(Machine& machine, base::EventLoop& loop, const MachineConfig& config) {
  machine.serial = std::make_unique<SerialConsole>(
      loop, wire_interrupt(machine, layout::serial_gsi),
      SerialConsole::Ends{.input = config.serial_in, .output = config.serial_out});
  machine.ports.add(layout::serial_port, Serial::range, machine.serial->bus_device());
}

void add_power_devices(Machine& machine, const MachineHooks& hooks) {
  const auto ends_with = [&](EndReason reason) {
    return [on_end = hooks.on_end, reason] { on_end({.reason = reason, .vcpu = 0, .fault = {}}); };
  };
  auto& power = add_small_device<AcpiPower>(machine, ends_with(EndReason::shutdown),
                                            ends_with(EndReason::reset));
  machine.ports.add(layout::sleep_control_port, AcpiPower::range, power);
  auto& keyboard = add_small_device<KeyboardController>(machine, ends_with(EndReason::reset));
  machine.ports.add(layout::keyboard_port, KeyboardController::range, keyboard);
}

void add_clock_and_marks(Machine& machine, const MachineHooks& hooks) {
  machine.ports.add(layout::cmos_port, Cmos::range, add_small_device<Cmos>(machine));
  machine.mmio.add(layout::mark_register, layout::mark_register_size,
                   add_small_device<MarkRegister>(machine, hooks.on_mark));
}

// The device's registers are on the bus; its doorbells bypass it through KVM.
void add_virtio_device(Machine& machine, base::EventLoop& loop,
                       std::unique_ptr<virtio::VirtioDevice> device) {
  const auto slot = static_cast<std::uint32_t>(machine.virtio_devices.size());
  if (slot >= layout::max_virtio_devices) {
    throw Error(
        ErrorKind::usage,
        fmt::format("a machine has room for {} disks and ports", layout::max_virtio_devices),
        "give it fewer disks");
  }
  const std::uint64_t address = layout::virtio_mmio + slot * layout::virtio_mmio_stride;
  auto attachment = std::make_unique<virtio::Attachment>(
      loop, machine.memory, std::move(device),
      wire_interrupt(machine, layout::first_virtio_gsi + slot));
  machine.mmio.add(address, layout::virtio_mmio_stride, attachment->bus_device());
  for (const auto& bell : attachment->doorbells()) {
    machine.vm.add_ioeventfd(address + bell.offset, bell.value, bell.descriptor);
  }
  machine.virtio_devices.push_back(std::move(attachment));
}

void add_virtio_devices(Machine& machine, base::EventLoop& loop, const MachineConfig& config) {
  for (const auto& disk : config.disks) {
    const auto access =
        disk.read_only ? virtio::BlockAccess::read_only : virtio::BlockAccess::read_write;
    auto medium =
        disk.drive ? virtio::open_drive(disk.path, access) : virtio::open_disk(disk.path, access);
    add_virtio_device(machine, loop, std::make_unique<virtio::Block>(loop, std::move(medium)));
  }
  if (machine.image) {
    const auto& image = *machine.image;
    add_virtio_device(machine, loop, std::make_unique<virtio::Pmem>(image.start(), image.size()));
  }
  if (!config.ports.empty()) {
    std::vector<virtio::Console::Port> ports;
    for (const auto& port : config.ports) ports.push_back({port.name, port.descriptor});
    add_virtio_device(machine, loop, std::make_unique<virtio::Console>(loop, ports));
  }
  add_virtio_device(machine, loop, std::make_unique<virtio::Rng>());
  add_virtio_device(machine, loop, std::make_unique<virtio::Balloon>(machine.memory));
}

void map_image(Machine& machine, const ImageConfig& config) {
  if (config.size == 0) return;
  machine.image.emplace(machine.memory, config.size);
  for (const auto& file : config.files) machine.image->add(file.path, file.offset, file.size);
}

boot::Entry load_kernel(Machine& machine, const MachineConfig& config) {
  return boot::prepare_boot({.kernel = config.kernel,
                             .initrd = config.initrd,
                             .command_line = config.command_line,
                             .rsdp = boot::acpi::root_pointer,
                             .linux64 = config.linux64},
                            machine.memory);
}

void write_tables(Machine& machine, const MachineConfig& config) {
  const auto devices = static_cast<unsigned>(machine.virtio_devices.size());
  // A kernel reads the one kind or the other.
  boot::write_mp_table(config.cpus, devices, machine.memory);
  boot::acpi::write_tables({.cpus = config.cpus, .virtio_devices = devices}, machine.memory);
}

void check_size(const MachineConfig& config, const snapshot::Snapshot& saved) {
  if (config.cpus == saved.cpus() && config.memory_bytes == saved.memory_size()) return;
  throw Error(ErrorKind::usage,
              fmt::format("the snapshot {} is of a machine with {} and {} processors, not with {} "
                          "and {}",
                          config.snapshot, base::format_size(saved.memory_size()), saved.cpus(),
                          base::format_size(config.memory_bytes), config.cpus),
              "start it with the size that it had");
}

// Calls it, and says of its errors that they are the snapshot's.
template <typename Use>
auto with_snapshot(const std::string& path, Use use) {
  try {
    return use();
  } catch (const Error& error) {
    if (error.message().find(path) != std::string::npos) throw SnapshotError(error);
    throw SnapshotError(
        {error.kind(), fmt::format("cannot go on from the snapshot {}: {}", path, error.message()),
         error.hint()});
  } catch (const std::bad_alloc&) {
    throw SnapshotError(
        {ErrorKind::system,
         fmt::format("the host has not the memory that the snapshot {} takes", path),
         "end other programs"});
  }
}

snapshot::Snapshot open_snapshot(const MachineConfig& config) {
  snapshot::Snapshot saved(config.snapshot);
  check_size(config, saved);
  saved.check_memory();
  return saved;
}

// In place of loading a kernel and setting up processors.
void restore(Machine& machine, const MachineConfig& config, const snapshot::Snapshot& saved) {
  saved.map_into(machine.memory);
  StateReader reader(saved.state());
  const auto vcpus = snapshot::read_vcpus(reader, saved.cpus());
  const auto supported = machine.kvm.supported_cpuid();
  for (unsigned index = 0; index < saved.cpus(); ++index) {
    kvm::check_processor(vcpus[index].cpuid, supported);
    machine.vcpus.push_back(std::make_unique<kvm::Vcpu>(machine.vm, index, vcpus[index].cpuid));
  }
  snapshot::restore(machine, vcpus, reader);
  snapshot::prefetch_working_set(machine.memory, config.snapshot);
}

void add_vcpus(Machine& machine, const MachineConfig& config) {
  const auto supported = machine.kvm.supported_cpuid();
  const bool tsc_deadline = machine.kvm.has(KVM_CAP_TSC_DEADLINE_TIMER);
  // QEMU's emulated SVM forgets that it has delivered an interrupt to our guest until the guest is
  // next left, and may deliver it again inside of its own handler, where Linux then waits for a
  // lock that it holds itself. A guest that leaves to end each interrupt closes that gap.
  const bool paravirtual_eoi = !base::processor_is_emulated();
  for (unsigned index = 0; index < config.cpus; ++index) {
    auto cpuid = kvm::guest_cpuid(supported, {.vcpu = index,
                                              .vcpus = config.cpus,
                                              .tsc_deadline = tsc_deadline,
                                              .paravirtual_eoi = paravirtual_eoi});
    machine.vcpus.push_back(std::make_unique<kvm::Vcpu>(machine.vm, index, std::move(cpuid)));
  }
}

kvm::AddressSpace answered_by(const Bus& bus) {
  return {.read = [&bus](auto address, auto data) { bus.read(address, data); },
          .write = [&bus](auto address, auto data) { bus.write(address, data); }};
}

void add_vcpu_threads(Machine& machine, const MachineHooks& hooks) {
  for (const auto& vcpu : machine.vcpus) {
    const auto on_fault = [on_end = hooks.on_end, index = vcpu->index()](const kvm::VcpuEnd& end) {
      const auto reason = end.fault == kvm::VcpuFault::triple_fault ? EndReason::triple_fault
                                                                    : EndReason::kvm_error;
      on_end({.reason = reason, .vcpu = index, .fault = end});
    };
    machine.threads.push_back(std::make_unique<kvm::VcpuThread>(
        *vcpu,
        kvm::VcpuThread::AddressSpaces{answered_by(machine.ports), answered_by(machine.mmio)},
        on_fault));
  }
}

}  // namespace

std::unique_ptr<Machine> build_machine(const MachineConfig& config, base::EventLoop& loop,
                                       const MachineHooks& hooks) {
  check(config);
  std::optional<snapshot::Snapshot> saved;
  if (!config.snapshot.empty())
    saved = with_snapshot(config.snapshot, [&] { return open_snapshot(config); });
  // Guest memory. A thread fills it with kernel, initrd and command line while KVM makes a VM
  // around it, for which the host's kernel may have to wait milliseconds: each VM has a thread of
  // its own that moves into our control group. Where there is no room for a thread, it is filled by
  // this one, when the entry is asked for.
  auto machine = std::make_unique<Machine>(config.memory_bytes);
  map_image(*machine, config.image);
  std::future<boot::Entry> entry;
  if (!saved) {
    entry = std::async(std::launch::async | std::launch::deferred,
                       [&] { return load_kernel(*machine, config); });
  }
  machine->vm.create(machine->memory, machine->image ? &*machine->image : nullptr);
  // Devices: on the port bus, in memory, and the virtio ones; the tables that tell of them.
  add_serial_port(*machine, loop, config);
  add_power_devices(*machine, hooks);
  add_clock_and_marks(*machine, hooks);
  add_virtio_devices(*machine, loop, config);
  if (saved) {
    with_snapshot(config.snapshot, [&] { restore(*machine, config, *saved); });
  } else {
    write_tables(*machine, config);
    // Processors: the first one begins at the kernel's entry, the others when it wakes them.
    add_vcpus(*machine, config);
    kvm::set_entry_registers(*machine->vcpus.front(), entry.get());
  }
  add_vcpu_threads(*machine, hooks);
  return machine;
}

}  // namespace twinbox::vmm
