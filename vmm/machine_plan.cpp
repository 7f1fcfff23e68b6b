#include "vmm/machine_plan.hpp"

#include <cmath>

#include "base/log.hpp"
#include "base/size.hpp"
#include "guest-images/initramfs.hpp"
#include "vmm/boot/command_line.hpp"
#include "vmm/boot/kernel_image.hpp"
#include "vmm/engine.hpp"
#include "vmm/layout.hpp"

namespace twinbox::vmm {
namespace {

// Beside the disks there are the console device and the random number generator.
constexpr std::size_t maximum_disks = layout::max_virtio_devices - 2;
// Long for a boot, even on an emulated host that shares a busy machine (a minute has been seen).
constexpr std::uint64_t boot_limit_ms = 240'000;

std::uint64_t memory_for(const sandbox::Resources& resources) {
  const auto bytes = resources.memory_bytes.value_or(default_memory);
  if (bytes < minimum_memory) {
    throw base::Error(
        base::ErrorKind::usage,
        fmt::format("a machine with {} of memory cannot boot a kernel", base::format_size(bytes)),
        fmt::format("give it at least --memory {}m, or run it as a container",
                    minimum_memory / base::mebibyte));
  }
  // The monitor maps whole pages.
  return bytes / 4096 * 4096;
}

unsigned cpus_for(const sandbox::Resources& resources) {
  const double wanted = std::ceil(resources.cpus.value_or(1));
  if (!(wanted >= 1 && wanted <= maximum_cpus)) {
    throw base::Error(base::ErrorKind::usage,
                      fmt::format("a machine cannot have {} processors", wanted),
                      fmt::format("give it 1 to {}", maximum_cpus));
  }
  return static_cast<unsigned>(wanted);
}

std::string command_line_for(const sandbox::VirtualMachine& machine) {
  const bool console = base::log_level() == base::LogLevel::debug;
  auto line = linux_command_line(console ? GuestConsole::serial : GuestConsole::none,
                                 fmt::format("twinbox.marks={:#x}", layout::mark_register));
  if (!machine.kernel_parameters.empty()) line += " " + machine.kernel_parameters;
  return line;
}

}  // namespace

MachineConfig plan_machine(const sandbox::BoxRequest& request) {
  const auto& spec = request.spec;
  MachineConfig config;
  config.memory_bytes = memory_for(spec.resources);
  config.cpus = cpus_for(spec.resources);
  if (request.root.disks.size() > maximum_disks) {
    throw base::Error(base::ErrorKind::unsupported,
                      fmt::format("the image has {} layers, and a machine takes {} disks",
                                  request.root.disks.size(), maximum_disks),
                      "import the image again from one archive, which makes it one layer");
  }
  for (const auto& disk : request.root.disks) {
    config.disks.push_back({.path = disk.string(), .read_only = true});
  }
  const auto kernel = spec.vm.kernel.empty() ? guest_images::stock_kernel()
                                             : guest_images::kernel_at(spec.vm.kernel);
  config.kernel = prepare_kernel(kernel.image).string();
  config.initrd =
      spec.vm.initrd.empty() ? guest_images::guest_initramfs(kernel).string() : spec.vm.initrd;
  config.command_line = command_line_for(spec.vm);
  config.boot_limit_ms = boot_limit_ms;
  return config;
}

}  // namespace twinbox::vmm
