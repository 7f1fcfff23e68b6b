#include "vmm/boot/command_line.hpp"

#include <fmt/format.h>

#include "vmm/layout.hpp"

namespace twinbox::vmm {

std::string linux_command_line(GuestConsole console, std::string_view extra) {
  std::string line =
      // A reset leaves the guest at a known place through ACPI's register; a panic is one at once.
      "reboot=a panic=-1 quiet "
      // KVM's clock and timer are described, not to be calibrated or doubted.
      "tsc=reliable no_timer_check "
      // The processor's random numbers count, so that nothing waits for entropy at boot.
      "random.trust_cpu=on "
      // No bus is there to be searched, and the algorithms need no test. (That there is no keyboard
      // and no CMOS clock either is in the ACPI tables; i8042.* options would only undo that.)
      "pci=off cryptomgr.notests";
  if (console == GuestConsole::serial) line += " console=ttyS0";
  if (!extra.empty()) line.append(" ").append(extra);
  return line;
}

std::string virtio_parameters(std::size_t count) {
  std::string words;
  for (std::size_t slot = 0; slot < count; ++slot) {
    words += fmt::format(
        "{}virtio_mmio.device={:#x}@{:#x}:{}", words.empty() ? "" : " ", layout::virtio_mmio_stride,
        layout::virtio_mmio + slot * layout::virtio_mmio_stride, layout::first_virtio_gsi + slot);
  }
  return words;
}

}  // namespace twinbox::vmm
