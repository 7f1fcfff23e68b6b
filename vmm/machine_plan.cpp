#include "vmm/machine_plan.hpp"

#include <sys/utsname.h>

#include <utility>

#include "base/fingerprint.hpp"
#include "base/log.hpp"
#include "base/processor.hpp"
#include "guest-images/initramfs.hpp"
#include "sandbox/machine_size.hpp"
#include "sandbox/paths.hpp"
#include "vmm/boot/command_line.hpp"
#include "vmm/boot/kernel_image.hpp"
#include "vmm/image_plan.hpp"
#include "vmm/layout.hpp"
#include "vmm/template_store.hpp"

namespace twinbox::vmm {
namespace {

// Beside the disks: the console device, the random number generator and the balloon.
constexpr auto bus = guest_images::VirtioBus::mmio;
constexpr std::size_t other_devices = 3;
constexpr std::size_t maximum_disks = layout::max_virtio_devices - other_devices;
// Of a template's machine without an image's memory: few images have more layers, and each drive
// costs its boot some.
constexpr std::size_t usual_drives = 4;
// Long for a boot, even on an emulated host that shares a busy machine (a minute has been seen).
constexpr std::uint64_t boot_limit_ms = 200'000;

std::string command_line_for(const sandbox::VirtualMachine& machine,
                             const guest_images::GuestKernel& kernel, std::size_t devices) {
  const bool console = base::log_level() == base::LogLevel::debug;
  auto line = linux_command_line(console ? GuestConsole::serial : GuestConsole::none,
                                 fmt::format("twinbox.marks={:#x}", layout::mark_register));
  for (const auto& words : {kernel.parameters, console ? "" : kernel.silent_parameters}) {
    if (!words.empty()) line += " " + words;
  }
  if (kernel.firmware == guest_images::Firmware::mp_table) {
    line += " " + virtio_parameters(devices);
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

guest_images::GuestKernel kernel_for(const sandbox::Spec& spec) {
  return guest_images::choose_kernel(spec.vm.kernel, bus);
}

// `config` has its disks or its image already; their number is part of the command line.
MachineConfig plan(const sandbox::Spec& spec, const guest_images::GuestKernel& kernel,
                   MachineConfig config) {
  const auto size = sandbox::machine_size(spec.resources);
  const bool has_image = config.image.size != 0;
  config.memory_bytes = size.memory_bytes;
  config.cpus = size.cpus;
  config.kernel = prepare_kernel(kernel.image).string();
  config.linux64 = true;  // what runs our agent is one
  config.initrd = spec.vm.initrd.empty()
                      ? guest_images::guest_initramfs(kernel, bus, has_image).string()
                      : spec.vm.initrd;
  config.command_line =
      command_line_for(spec.vm, kernel, config.disks.size() + other_devices + (has_image ? 1 : 0));
  config.boot_limit_ms = boot_limit_ms;
  return config;
}

// All that a template depends on and that is not looked at again when it is used.
std::string template_inputs(const MachineConfig& boot) {
  utsname host{};
  ::uname(&host);
  return fmt::format("{}\n{}\n{}\n{} {} {} {}\n{}\n{} {}", base::fingerprint(boot.kernel),
                     base::fingerprint(boot.initrd), boot.command_line, boot.memory_bytes,
                     boot.cpus, boot.disks.size(), boot.image.size,
                     base::fingerprint(sandbox::program_path("twinbox-vmm")), host.release,
                     base::processor_signature());
}

// What all templates of a size have in common, and which of its layers' places the guest knows: an
// image's memory, or else drives.
MachineConfig with_places(const sandbox::BoxRequest& request,
                          const guest_images::GuestKernel& kernel) {
  const auto& layers = request.root.disks;
  const bool can_map = kernel.persistent_memory && request.spec.vm.initrd.empty();
  const auto memory = sandbox::machine_size(request.spec.resources).memory_bytes;
  MachineConfig config;
  if (can_map) config.image = plan_image(layers, memory);
  if (config.image.size == 0) {
    const auto drives = layers.size() <= usual_drives ? usual_drives : maximum_disks;
    config.disks.assign(drives, {.path = {}, .read_only = true, .drive = true});
    for (std::size_t i = 0; i < layers.size(); ++i) config.disks[i].path = layers[i].string();
  }
  return config;
}

// The same before anything is in its places.
MachineConfig emptied(MachineConfig config) {
  config.image.files.clear();
  for (auto& disk : config.disks) disk.path.clear();
  return config;
}

}  // namespace

MachineConfig plan_machine(const sandbox::BoxRequest& request) {
  check_layers(request.root.disks.size());
  MachineConfig config;
  for (const auto& disk : request.root.disks) {
    config.disks.push_back({.path = disk.string(), .read_only = true});
  }
  return plan(request.spec, kernel_for(request.spec), std::move(config));
}

WarmStart plan_warm_start(const sandbox::BoxRequest& request) {
  check_layers(request.root.disks.size());
  const auto kernel = kernel_for(request.spec);
  WarmStart warm;
  warm.machine = plan(request.spec, kernel, with_places(request, kernel));
  warm.boot = emptied(warm.machine);
  warm.snapshot =
      templates_directory() / (base::short_name(template_inputs(warm.boot)) + ".snapshot");
  warm.machine.snapshot = warm.snapshot.string();
  return warm;
}

}  // namespace twinbox::vmm
