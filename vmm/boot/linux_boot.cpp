#include "vmm/boot/linux_boot.hpp"

#include <algorithm>
#include <span>

#include "base/error.hpp"
#include "vmm/boot/boot_params.hpp"
#include "vmm/boot/elf_kernel.hpp"
#include "vmm/boot/initrd.hpp"
#include "vmm/boot/pvh.hpp"
#include "vmm/layout.hpp"

namespace twinbox::vmm::boot {
namespace {

void write_command_line(const std::string& line, const GuestMemory& memory) {
  if (line.size() > max_command_line) {
    throw base::Error(base::ErrorKind::usage,
                      fmt::format("the kernel's command line has {} bytes, and may have {}",
                                  line.size(), max_command_line));
  }
  // With the terminating zero.
  const std::span bytes(line.c_str(), line.size() + 1);
  memory.write(GuestAddress{layout::command_line}, std::as_bytes(bytes));
}

}  // namespace

Entry prepare_boot(const BootRequest& request, const GuestMemory& memory) {
  BootInfo info{.map = memory_map(memory), .initrd = {}, .rsdp = request.rsdp};
  const LoadedKernel kernel = load_elf_kernel(request.kernel, memory);
  info.initrd = load_initrd(request.initrd, kernel.end, memory);
  write_command_line(request.command_line, memory);
  write_entry_tables(memory);
  if (kernel.pvh_entry && !request.linux64) {
    write_pvh_start_info(info, memory);
    return {EntryProtocol::pvh, *kernel.pvh_entry, GuestAddress{layout::pvh_start_info}};
  }
  write_boot_params(info, memory);
  return {EntryProtocol::linux64, kernel.entry, GuestAddress{layout::zero_page}};
}

}  // namespace twinbox::vmm::boot
