#include "vmm/boot/command_line.hpp"

namespace twinbox::vmm {

std::string linux_command_line(GuestConsole console, std::string_view extra) {
  // Why each is here is told in docs/architecture.md; in short: no probing of hardware that is not
  // there, no calibration of clocks that KVM describes, no self-tests of algorithms.
  std::string line =
      "reboot=t panic=-1 quiet tsc=reliable no_timer_check random.trust_cpu=on "
      "i8042.noaux i8042.nomux i8042.nopnp i8042.dumbkbd cryptomgr.notests pci=off";
  if (console == GuestConsole::serial) line += " console=ttyS0";
  if (console == GuestConsole::none) line += " 8250.nr_uarts=0";
  if (!extra.empty()) line.append(" ").append(extra);
  return line;
}

}  // namespace twinbox::vmm
