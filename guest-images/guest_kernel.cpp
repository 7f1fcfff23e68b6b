#include "guest-images/guest_kernel.hpp"

#include <cstdlib>

#include "base/error.hpp"
#include "base/file.hpp"
#include "sandbox/paths.hpp"

namespace twinbox::guest_images {
namespace {

namespace fs = std::filesystem;

// A stock kernel spends a fifth of its boot on the files of its tracer, which nobody in a box could
// reach: resolving the names in all event formats, and making tens of thousands of entries.
constexpr const char* without_tracing = "initcall_blacklist=trace_eval_init,tracer_init_tracefs";

// Without a screen the serial port is the console even where it was not asked for, and its driver
// leaves the guest a hundred times to look for it.
constexpr const char* without_serial_port = "console=null 8250.nr_uarts=0";

// Without ACPI a machine is left by its keyboard controller's reset. Lock prefixes stay, though one
// processor needs none: it would map the page of each of them to take it out.
constexpr const char* for_tuned = "reboot=k noreplace-smp";

fs::path kernel_directory(const char* name) { return sandbox::data_root() / "kernels" / name; }

fs::path tuned_image() { return kernel_directory(tuned_kernel_name) / "vmlinux"; }

fs::path modules_beside(const fs::path& image) {
  const auto directory = image.parent_path();
  if (!fs::exists(directory / "version")) return {};
  auto version = base::read_file(directory / "version");
  version.erase(version.find_last_not_of(" \n") + 1);
  const auto modules = directory / "modules/lib/modules" / version;
  return fs::exists(modules) ? modules : fs::path();
}

// As a module, or by the note of guest-images/build-kernel beside it.
bool knows_persistent_memory(const GuestKernel& kernel) {
  if (kernel.modules.empty()) return fs::exists(kernel.image.parent_path() / "persistent-memory");
  return fs::exists(kernel.modules / "kernel/drivers/nvdimm/virtio_pmem.ko");
}

GuestKernel existing(const fs::path& image, const char* parameters, const std::string& hint) {
  if (fs::exists(image)) {
    GuestKernel kernel{.image = image, .modules = modules_beside(image), .parameters = parameters};
    kernel.persistent_memory = knows_persistent_memory(kernel);
    return kernel;
  }
  throw base::Error(base::ErrorKind::not_found,
                    fmt::format("there is no guest kernel at {}", image.string()), hint);
}

// A kernel without ACPI that is told of its devices on its command line has the one's name in its
// data, and not the other's. Only an uncompressed one shows it; those of distributions have ACPI.
bool takes_devices_as_parameters(const fs::path& image) {
  const auto data = base::read_file(image);
  return data.starts_with("\177ELF") && data.find("virtio-mmio-cmdline") != std::string::npos &&
         data.find("acpi_rsdp") == std::string::npos;
}

GuestKernel kernel_in_file(const fs::path& image, VirtioBus bus) {
  auto kernel = existing(image, without_tracing, "give a vmlinux or a bzImage");
  if (bus == VirtioBus::mmio && takes_devices_as_parameters(image)) {
    kernel.parameters = for_tuned;
    kernel.firmware = Firmware::mp_table;
  }
  return kernel;
}

std::string default_choice(VirtioBus bus) {
  auto choice = kernel_wish();
  if (choice.empty() && fs::exists(tuned_image())) choice = tuned_kernel_name;
  const bool tuned_off_its_bus = choice == tuned_kernel_name && bus != VirtioBus::mmio;
  return choice.empty() || tuned_off_its_bus ? stock_kernel_name : choice;
}

}  // namespace

std::string kernel_wish() {
  const char* const wish = std::getenv("TWINBOX_KERNEL");
  return wish == nullptr ? "" : wish;
}

GuestKernel choose_kernel(const std::string& choice, VirtioBus bus) {
  if (choice.empty()) return choose_kernel(default_choice(bus), bus);
  if (choice == stock_kernel_name) {
    return existing(kernel_directory(stock_kernel_name) / "vmlinuz", without_tracing,
                    "run guest-images/fetch-kernel, or ./scripts/quickstart");
  }
  if (choice != tuned_kernel_name) return kernel_in_file(choice, bus);
  if (bus != VirtioBus::mmio) {
    throw base::Error(base::ErrorKind::unsupported,
                      "the tuned kernel has no PCI, on which QEMU's machines have their devices",
                      "use --kernel stock, or --as vm where the host has hardware virtualization");
  }
  auto tuned =
      existing(tuned_image(), for_tuned, "run guest-images/build-kernel, which takes some minutes");
  tuned.silent_parameters = without_serial_port;
  tuned.firmware = Firmware::mp_table;
  return tuned;
}

std::string checked_kernel_choice(const std::string& choice) {
  if (choice.empty() || choice == stock_kernel_name || choice == tuned_kernel_name) return choice;
  if (!fs::exists(choice)) {
    throw base::Error(base::ErrorKind::not_found, fmt::format("there is no kernel {}", choice),
                      "give stock, tuned, or the path of a vmlinux or a bzImage");
  }
  return fs::absolute(choice);
}

}  // namespace twinbox::guest_images
