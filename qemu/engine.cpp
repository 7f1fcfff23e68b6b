#include "qemu/engine.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.hpp"
#include "base/processor.hpp"
#include "base/size.hpp"
#include "guest-images/initramfs.hpp"
#include "qemu/libvirt/embedded_driver.hpp"
#include "qemu/libvirt/machine.hpp"
#include "qemu/libvirt/strays.hpp"
#include "sandbox/guest_box.hpp"
#include "sandbox/machine_size.hpp"

namespace twinbox::qemu {
namespace {

namespace fs = std::filesystem;

constexpr const char* agent_port = "twinbox.agent";

// As for our own monitor's machines where that makes sense, so that the comparison is one of the
// machines: no search for a keyboard, no tests of the ciphers (half of an emulated boot), no wait
// for entropy, and an end that QEMU notices at once.
constexpr const char* kernel_options =
    "console=ttyS0 quiet panic=-1 reboot=t tsc=reliable no_timer_check random.trust_cpu=on "
    "i8042.noaux i8042.nomux i8042.nopnp i8042.dumbkbd cryptomgr.notests";

bool kvm_runs_linux() {
  return base::processor_virtualizes() && ::access("/dev/kvm", R_OK | W_OK) == 0;
}

std::string command_line(const sandbox::VirtualMachine& machine,
                         const guest_images::GuestKernel& kernel) {
  std::string line = kernel_options;
  for (const auto& more : {kernel.parameters, machine.kernel_parameters}) {
    if (!more.empty()) line += " " + more;
  }
  return line;
}

// As QEMU will ask for it: where that fails, libvirt notices late and says it in many words.
void check_memory(std::uint64_t bytes) {
  void* const memory =
      ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory != MAP_FAILED) {
    ::munmap(memory, bytes);
    return;
  }
  throw base::system_error(
      errno,
      fmt::format("this host does not give a machine {} of memory", base::format_size(bytes)),
      "give it less (--memory), or end other programs");
}

}  // namespace

void QemuEngine::check_host() const { libvirt::check_installed(); }

std::vector<std::pair<std::string, std::string>> QemuEngine::versions() const {
  return {{"QEMU", libvirt::emulator_version()}, {"libvirt", libvirt::library_version()}};
}

std::unique_ptr<sandbox::Box> QemuEngine::create(sandbox::BoxRequest request) {
  check_host();
  const auto& vm = request.spec.vm;
  constexpr auto bus = guest_images::VirtioBus::pci;
  const auto kernel = guest_images::choose_kernel(vm.kernel, bus);
  const auto size = sandbox::machine_size(request.spec.resources);
  check_memory(size.memory_bytes);
  libvirt::DomainConfig config{.name = request.id,
                               .kvm = kvm_runs_linux(),
                               .memory_bytes = size.memory_bytes,
                               .cpus = size.cpus,
                               .emulator = libvirt::emulator(),
                               .kernel = kernel.image,
                               .initrd = vm.initrd.empty()
                                             ? guest_images::guest_initramfs(kernel, bus)
                                             : fs::path(vm.initrd),
                               .command_line = command_line(vm, kernel),
                               .disks = request.root.disks,
                               .port = agent_port,
                               .port_socket = request.directory / "agent.sock",
                               .console = request.directory / "console.log"};
  const bool usual = vm.kernel.empty() || vm.kernel == guest_images::stock_kernel_name;
  if (usual && options_.prepare_kernel) {
    config.kernel = options_.prepare_kernel(kernel.image);
  }
  return std::make_unique<sandbox::GuestBox>(std::move(request),
                                             libvirt::make_machine(std::move(config)));
}

void QemuEngine::clean_up(const std::string& id, const fs::path&) {
  libvirt::kill_strays(fmt::format("guest={},", id));
}

void clean_up_qemu() { libvirt::sweep_drivers(); }

}  // namespace twinbox::qemu
