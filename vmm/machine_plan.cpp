#include "vmm/machine_plan.hpp"

#include "base/log.hpp"
#include "guest-images/initramfs.hpp"
#include "sandbox/machine_size.hpp"
#include "vmm/boot/command_line.hpp"
#include "vmm/boot/kernel_image.hpp"
#include "vmm/layout.hpp"

namespace twinbox::vmm {
namespace {

// Beside the disks there are the console device and the random number generator.
constexpr std::size_t maximum_disks = layout::max_virtio_devices - 2;
// Long for a boot, even on an emulated host that shares a busy machine (a minute has been seen).
constexpr std::uint64_t boot_limit_ms = 200'000;

// A stock kernel spends a fifth of its boot on the files of its tracer, which nobody in a box could
// reach: resolving the names in all event formats, and making tens of thousands of entries.
constexpr std::string_view without_tracing =
    "initcall_blacklist=trace_eval_init,tracer_init_tracefs";

std::string command_line_for(const sandbox::VirtualMachine& machine) {
  const bool console = base::log_level() == base::LogLevel::debug;
  auto line = linux_command_line(
      console ? GuestConsole::serial : GuestConsole::none,
      fmt::format("{} twinbox.marks={:#x}", without_tracing, layout::mark_register));
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
