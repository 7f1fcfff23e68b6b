#include "vmm/machine_plan.hpp"

#include "base/log.hpp"
#include "guest-images/initramfs.hpp"
#include "sandbox/machine_size.hpp"
#include "vmm/boot/command_line.hpp"
#include "vmm/boot/kernel_image.hpp"
#include "vmm/layout.hpp"

namespace twinbox::vmm {
namespace {

// Beside the disks: the console device, the random number generator and the balloon.
constexpr std::size_t other_devices = 3;
constexpr std::size_t maximum_disks = layout::max_virtio_devices - other_devices;
// Long for a boot, even on an emulated host that shares a busy machine (a minute has been seen).
constexpr std::uint64_t boot_limit_ms = 200'000;

std::string command_line_for(const sandbox::VirtualMachine& machine,
                             const guest_images::GuestKernel& kernel, std::size_t disks) {
  const bool console = base::log_level() == base::LogLevel::debug;
  auto line = linux_command_line(console ? GuestConsole::serial : GuestConsole::none,
                                 fmt::format("twinbox.marks={:#x}", layout::mark_register));
  for (const auto& words : {kernel.parameters, console ? "" : kernel.silent_parameters}) {
    if (!words.empty()) line += " " + words;
  }
  if (kernel.firmware == guest_images::Firmware::mp_table) {
    line += " " + virtio_parameters(disks + other_devices);
  }
  if (!machine.kernel_parameters.empty()) line += " " + machine.kernel_parameters;
  return line;
}

}  // namespace

MachineConfig plan_machine(const sandbox::BoxRequest& request) {
  const auto& spec = request.spec;
  MachineConfig config;
  const auto size = sandbox::machine_size(spec.resources);
  config.memory_bytes = size.memory_bytes;
  config.cpus = size.cpus;
  if (request.root.disks.size() > maximum_disks) {
    throw base::Error(base::ErrorKind::unsupported,
                      fmt::format("the image has {} layers, and a machine takes {} disks",
                                  request.root.disks.size(), maximum_disks),
                      "import the image again from one archive, which makes it one layer");
  }
  for (const auto& disk : request.root.disks) {
    config.disks.push_back({.path = disk.string(), .read_only = true});
  }
  const auto kernel = guest_images::choose_kernel(spec.vm.kernel, guest_images::VirtioBus::mmio);
  config.kernel = prepare_kernel(kernel.image).string();
  config.linux64 = true;  // what runs our agent is one
  config.initrd =
      spec.vm.initrd.empty() ? guest_images::guest_initramfs(kernel).string() : spec.vm.initrd;
  config.command_line = command_line_for(spec.vm, kernel, config.disks.size());
  config.boot_limit_ms = boot_limit_ms;
  return config;
}

}  // namespace twinbox::vmm
