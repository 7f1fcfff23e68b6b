#include "vmm/machine_plan.hpp"

#include <sys/utsname.h>

#include "base/fingerprint.hpp"
#include "base/log.hpp"
#include "base/processor.hpp"
#include "guest-images/initramfs.hpp"
#include "sandbox/machine_size.hpp"
#include "sandbox/paths.hpp"
#include "vmm/boot/command_line.hpp"
#include "vmm/boot/kernel_image.hpp"
#include "vmm/layout.hpp"
#include "vmm/template_store.hpp"

namespace twinbox::vmm {
namespace {

// Beside the disks: the console device, the random number generator and the balloon.
constexpr std::size_t other_devices = 3;
constexpr std::size_t maximum_disks = layout::max_virtio_devices - other_devices;
// Of a template's machine: few images have more layers, and each drive costs its boot some.
constexpr std::size_t usual_drives = 4;
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

void check_layers(std::size_t layers) {
  if (layers <= maximum_disks) return;
  throw base::Error(
      base::ErrorKind::unsupported,
      fmt::format("the image has {} layers, and a machine takes {} disks", layers, maximum_disks),
      "import the image again from one archive, which makes it one layer");
}

// With `disks` still to be filled in; their number is part of the command line.
MachineConfig plan(const sandbox::Spec& spec, std::size_t disks) {
  MachineConfig config;
  const auto size = sandbox::machine_size(spec.resources);
  config.memory_bytes = size.memory_bytes;
  config.cpus = size.cpus;
  const auto kernel = guest_images::choose_kernel(spec.vm.kernel, guest_images::VirtioBus::mmio);
  config.kernel = prepare_kernel(kernel.image).string();
  config.linux64 = true;  // what runs our agent is one
  config.initrd =
      spec.vm.initrd.empty() ? guest_images::guest_initramfs(kernel).string() : spec.vm.initrd;
  config.command_line = command_line_for(spec.vm, kernel, disks);
  config.boot_limit_ms = boot_limit_ms;
  return config;
}

// All that a template depends on and that is not looked at again when it is used.
std::string template_inputs(const MachineConfig& boot) {
  utsname host{};
  ::uname(&host);
  return fmt::format("{}\n{}\n{}\n{} {} {}\n{}\n{} {}", base::fingerprint(boot.kernel),
                     base::fingerprint(boot.initrd), boot.command_line, boot.memory_bytes,
                     boot.cpus, boot.disks.size(),
                     base::fingerprint(sandbox::program_path("twinbox-vmm")), host.release,
                     base::processor_signature());
}

}  // namespace

MachineConfig plan_machine(const sandbox::BoxRequest& request) {
  const auto& disks = request.root.disks;
  check_layers(disks.size());
  auto config = plan(request.spec, disks.size());
  for (const auto& disk : disks) config.disks.push_back({.path = disk.string(), .read_only = true});
  return config;
}

WarmStart plan_warm_start(const sandbox::BoxRequest& request) {
  const auto& disks = request.root.disks;
  check_layers(disks.size());
  const auto drives = disks.size() <= usual_drives ? usual_drives : maximum_disks;
  WarmStart warm{.boot = plan(request.spec, drives), .snapshot = {}, .machine = {}};
  warm.boot.disks.assign(drives, {.path = {}, .read_only = true, .drive = true});
  warm.snapshot =
      templates_directory() / (base::short_name(template_inputs(warm.boot)) + ".snapshot");
  warm.machine = warm.boot;
  warm.machine.snapshot = warm.snapshot.string();
  for (std::size_t i = 0; i < disks.size(); ++i) warm.machine.disks[i].path = disks[i].string();
  return warm;
}

}  // namespace twinbox::vmm
