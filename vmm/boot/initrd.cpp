#include "vmm/boot/initrd.hpp"

#include <fcntl.h>

#include "base/error.hpp"
#include "base/size.hpp"
#include "base/syscall.hpp"
#include "vmm/boot/file_window.hpp"

namespace twinbox::vmm::boot {
namespace {

constexpr std::uint64_t page = 4096;

}  // namespace

Initrd load_initrd(const std::string& path, GuestAddress kernel_end, const GuestMemory& memory) {
  if (path.empty()) return {};
  const base::Fd file = base::open_file(path, O_RDONLY);
  const std::uint64_t size = file_size(file.get());
  if (size == 0) {
    throw base::Error(base::ErrorKind::usage, fmt::format("the initrd {} is empty", path));
  }
  const std::uint64_t top = memory.regions().front().size;
  const std::uint64_t room = top > kernel_end.value ? top - kernel_end.value : 0;
  if (size > room || (top - size) / page * page < kernel_end.value) {
    throw base::Error(
        base::ErrorKind::usage,
        fmt::format("the initrd {} ({}) does not fit beside the kernel in {} of memory", path,
                    base::format_size(size), base::format_size(memory.size())),
        "give the machine more memory, or use a smaller initrd");
  }
  const GuestAddress start{(top - size) / page * page};
  base::pread_exact(file.get(), *memory.slice(start, size), 0);
  return {start, size};
}

}  // namespace twinbox::vmm::boot
