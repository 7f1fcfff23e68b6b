// A serial port joined to host descriptors by the event loop, and the last lines it printed.
#pragma once

#include <cstddef>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/event_loop.hpp"
#include "vmm/devices/last_lines.hpp"
#include "vmm/devices/serial.hpp"
#include "vmm/devices/serial_input.hpp"
#include "vmm/devices/serial_output.hpp"

namespace twinbox::vmm {

// A reader that stalls holds the guest's transmitter, never its processor or the loop.
//
//   SerialConsole console(loop, irq4, {.input = 0, .output = 1});
//   ports.add(layout::serial_port, Serial::range, console.bus_device());
//
// Build and destroy it in the loop's thread, while no vCPU runs.
class SerialConsole {
 public:
  struct Ends {
    int input = -1;   // borrowed; -1: no input
    int output = -1;  // borrowed; -1: output is only kept as last lines
  };

  SerialConsole(base::EventLoop& loop, InterruptLine interrupt_line, Ends ends);

  BusDevice& bus_device() { return serial_; }
  // What the guest printed last, oldest first; from any thread.
  std::vector<std::string> last_lines() const;
  // Writes out what is buffered, waiting at most a second for a slow reader. For the machine's end.
  void flush();

 private:
  bool transmit(std::byte value);

  mutable std::mutex mutex_;  // guards last_lines_
  LastLines last_lines_;
  Serial serial_;
  std::optional<SerialOutput> output_;
  std::optional<SerialInput> input_;
};

}  // namespace twinbox::vmm
