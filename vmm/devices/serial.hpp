// A 16550A serial port, good enough for Linux's 8250 driver to find and drive by interrupts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <span>

#include "vmm/devices/bus.hpp"

namespace twinbox::vmm {

// The far end of the line. It is called with the port's lock held: it must not call the port back.
struct SerialLine {
  // Takes a byte, without ever blocking. False when it has no room for a further one: the guest
  // then sees a busy transmitter until Serial::transmitter_ready(). Bytes that nobody will ever
  // read are to be taken and dropped.
  std::function<bool(std::byte)> transmit;
  // There is room for more after Serial::receive() has taken less than it was given.
  std::function<void()> receiver_ready;
};

// Entered from vCPU threads (the registers) and from the event loop (receive, transmitter_ready).
class Serial final : public BusDevice {
 public:
  static constexpr std::uint64_t range = 8;
  // More than the 16 of the real one, which saves interrupts.
  static constexpr std::size_t fifo_size = 64;

  Serial(InterruptLine interrupt_line, SerialLine line);

  void read(std::uint64_t offset, std::span<std::byte> data) override;
  void write(std::uint64_t offset, std::span<const std::byte> data) override;
  void save(StateWriter& writer) override;
  // The line is another one by now: it is ready for output, and asked for input again.
  void restore(StateReader& reader) override;

  // Gives bytes to the guest; returns how many were taken: none before it has enabled the receive
  // interrupt, since a driver that starts clears what came before.
  std::size_t receive(std::span<const std::byte> bytes);
  // The line takes bytes again.
  void transmitter_ready();

 private:
  std::uint8_t read_register(std::uint64_t offset);
  std::uint8_t read_received();
  std::uint8_t read_interrupt_identity();
  void write_register(std::uint64_t offset, std::uint8_t value);
  void write_data(std::uint8_t value);
  void write_interrupt_enable(std::uint8_t value);
  void write_fifo_control(std::uint8_t value);
  bool divisor_access() const;
  bool loopback() const;
  bool accepts_input() const;
  std::uint8_t interrupt_identity() const;
  std::uint8_t line_status() const;
  std::uint8_t modem_status() const;
  void offer_room();
  void raise_if_pending();

  std::mutex mutex_;  // guards all below; held while the line and the interrupt line are called
  InterruptLine interrupt_line_;
  SerialLine line_;
  std::deque<std::uint8_t> received_;
  bool input_waits_ = false;        // receive() has taken less than it was given
  bool transmitter_busy_ = false;   // the line has no room
  bool transmitter_event_ = false;  // the transmitter became empty and the guest has not seen it
  struct Registers {
    bool fifo_enabled = false;
    std::uint8_t interrupt_enable = 0;
    std::uint8_t line_control = 0;
    std::uint8_t modem_control = 0;
    std::uint8_t scratch = 0;
    std::uint8_t divisor_low = 1;  // 115200 baud
    std::uint8_t divisor_high = 0;
  };
  Registers registers_;
};

}  // namespace twinbox::vmm
