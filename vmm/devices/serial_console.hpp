// A serial port joined to host descriptors by the event loop, and the last lines it printed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "base/event_loop.hpp"
#include "base/fd.hpp"
#include "vmm/devices/last_lines.hpp"
#include "vmm/devices/serial.hpp"

namespace twinbox::vmm {

// Output is buffered and written by the loop in batches, so that neither a vCPU nor the loop waits
// for a terminal; a reader that stalls holds the guest's transmitter, not its processor.
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
  SerialConsole(const SerialConsole&) = delete;
  SerialConsole& operator=(const SerialConsole&) = delete;
  ~SerialConsole();

  BusDevice& bus_device() { return serial_; }
  // What the guest printed last, oldest first; from any thread.
  std::vector<std::string> last_lines() const;
  // Writes out what is buffered, waiting at most a second for a slow reader. For the machine's end.
  void flush();

 private:
  bool transmit(std::byte value);
  void arm_flush(std::int64_t delay_ns);
  bool write_buffered();
  void on_flush();
  void on_writable();
  void start_input(int descriptor);
  void on_readable();
  void on_receiver_ready();
  void pass_input();
  void end_input();

  base::EventLoop& loop_;
  int input_ = -1;
  bool input_pollable_ = true;         // a regular file is always ready and cannot be watched
  base::Fd reader_wake_;               // an eventfd: the guest has taken what filled its receiver
  std::vector<std::byte> input_rest_;  // read, but not yet taken by the guest

  base::Fd flush_timer_;
  base::Fd reopened_output_;  // a non-blocking description of our own, where there can be one
  int output_ = -1;
  bool output_is_socket_ = false;

  mutable std::mutex mutex_;  // guards what follows; taken after the serial port's own lock
  std::vector<std::byte> output_buffer_;
  bool flush_armed_ = false;
  bool held_back_ = false;  // transmit() has refused a byte
  LastLines last_lines_;

  Serial serial_;
};

}  // namespace twinbox::vmm
