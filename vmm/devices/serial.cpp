#include "vmm/devices/serial.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace twinbox::vmm {
namespace {

// Registers by offset; the first two are the divisor while DLAB is set.
constexpr std::uint64_t data_register = 0;
constexpr std::uint64_t interrupt_enable_register = 1;
constexpr std::uint64_t identity_or_fifo_register = 2;
constexpr std::uint64_t line_control_register = 3;
constexpr std::uint64_t modem_control_register = 4;
constexpr std::uint64_t line_status_register = 5;
constexpr std::uint64_t modem_status_register = 6;
constexpr std::uint64_t scratch_register = 7;

constexpr std::uint8_t enable_received = 0x01;
constexpr std::uint8_t enable_transmitter_empty = 0x02;

constexpr std::uint8_t identity_none = 0x01;
constexpr std::uint8_t identity_transmitter_empty = 0x02;
constexpr std::uint8_t identity_received = 0x04;
constexpr std::uint8_t identity_fifo = 0xc0;

constexpr std::uint8_t fifo_enable = 0x01;
constexpr std::uint8_t fifo_clear_receiver = 0x02;

constexpr std::uint8_t line_divisor_access = 0x80;

constexpr std::uint8_t status_data_ready = 0x01;
constexpr std::uint8_t status_transmitter_empty = 0x60;  // holding register and shifter

constexpr std::uint8_t modem_loopback = 0x10;
constexpr std::uint8_t modem_connected = 0xb0;  // carrier, data set ready, clear to send

}  // namespace

Serial::Serial(InterruptLine interrupt_line, SerialLine line)
    : interrupt_line_(std::move(interrupt_line)), line_(std::move(line)) {}

void Serial::read(std::uint64_t offset, std::span<std::byte> data) {
  std::ranges::fill(data, std::byte{0xff});
  if (data.size() != 1) return;
  const std::lock_guard lock(mutex_);
  data[0] = std::byte{read_register(offset)};
}

void Serial::write(std::uint64_t offset, std::span<const std::byte> data) {
  if (data.size() != 1) return;
  const std::lock_guard lock(mutex_);
  write_register(offset, std::to_integer<std::uint8_t>(data[0]));
}

void Serial::save(StateWriter& writer) {
  const std::lock_guard lock(mutex_);
  writer.section("serial port");
  writer.put(registers_);
  // What the line has not taken yet it will, in time: the transmitter is as good as empty.
  writer.put(transmitter_event_ || transmitter_busy_);
  const std::vector<std::uint8_t> received(received_.begin(), received_.end());
  writer.put_list(std::span(received));
}

void Serial::restore(StateReader& reader) {
  const std::lock_guard lock(mutex_);
  reader.section("serial port");
  registers_ = reader.get<Registers>();
  transmitter_event_ = reader.get<bool>();
  const auto received = reader.get_list<std::uint8_t>();
  received_.assign(received.begin(), received.end());
  offer_room();
  raise_if_pending();
}

std::uint8_t Serial::read_register(std::uint64_t offset) {
  switch (offset) {
    case data_register:
      return divisor_access() ? registers_.divisor_low : read_received();
    case interrupt_enable_register:
      return divisor_access() ? registers_.divisor_high : registers_.interrupt_enable;
    case identity_or_fifo_register:
      return read_interrupt_identity();
    case line_control_register:
      return registers_.line_control;
    case modem_control_register:
      return registers_.modem_control;
    case line_status_register:
      return line_status();
    case modem_status_register:
      return modem_status();
    case scratch_register:
      return registers_.scratch;
    default:
      return 0xff;
  }
}

void Serial::write_register(std::uint64_t offset, std::uint8_t value) {
  switch (offset) {
    case data_register:
      if (divisor_access()) {
        registers_.divisor_low = value;
      } else {
        write_data(value);
      }
      return;
    case interrupt_enable_register:
      if (divisor_access()) {
        registers_.divisor_high = value;
      } else {
        write_interrupt_enable(value);
      }
      return;
    case identity_or_fifo_register:
      return write_fifo_control(value);
    case line_control_register:
      registers_.line_control = value;
      return;
    case modem_control_register:
      registers_.modem_control = value & 0x1f;
      return;
    case scratch_register:
      registers_.scratch = value;
      return;
    default:
      return;  // the status registers are read-only
  }
}

std::uint8_t Serial::read_received() {
  if (received_.empty()) return 0;
  const std::uint8_t value = received_.front();
  received_.pop_front();
  offer_room();
  return value;
}

std::uint8_t Serial::read_interrupt_identity() {
  const std::uint8_t identity = interrupt_identity();
  // Reading the cause is what acknowledges this one.
  if (identity == identity_transmitter_empty) transmitter_event_ = false;
  return registers_.fifo_enabled ? identity | identity_fifo : identity;
}

void Serial::write_data(std::uint8_t value) {
  if (loopback()) {
    if (received_.size() < fifo_size) received_.push_back(value);
  } else {
    transmitter_busy_ = !line_.transmit(std::byte{value});
  }
  transmitter_event_ = !transmitter_busy_;
  raise_if_pending();
}

void Serial::write_interrupt_enable(std::uint8_t value) {
  const std::uint8_t news = value & static_cast<std::uint8_t>(~registers_.interrupt_enable);
  registers_.interrupt_enable = value & 0x0f;
  // An empty transmitter interrupts as soon as it is allowed to: Linux probes for that, and starts
  // its output with it.
  if ((news & enable_transmitter_empty) != 0 && !transmitter_busy_) transmitter_event_ = true;
  if ((news & enable_received) != 0) offer_room();
  raise_if_pending();
}

void Serial::write_fifo_control(std::uint8_t value) {
  registers_.fifo_enabled = (value & fifo_enable) != 0;
  if ((value & fifo_clear_receiver) == 0) return;
  received_.clear();
  offer_room();
}

bool Serial::divisor_access() const { return (registers_.line_control & line_divisor_access) != 0; }
bool Serial::loopback() const { return (registers_.modem_control & modem_loopback) != 0; }

bool Serial::accepts_input() const {
  return (registers_.interrupt_enable & enable_received) != 0 && !loopback();
}

std::uint8_t Serial::interrupt_identity() const {
  if ((registers_.interrupt_enable & enable_received) != 0 && !received_.empty())
    return identity_received;
  if ((registers_.interrupt_enable & enable_transmitter_empty) != 0 && transmitter_event_) {
    return identity_transmitter_empty;
  }
  return identity_none;
}

std::uint8_t Serial::line_status() const {
  std::uint8_t status = transmitter_busy_ ? 0 : status_transmitter_empty;
  if (!received_.empty()) status |= status_data_ready;
  return status;
}

std::uint8_t Serial::modem_status() const {
  if (!loopback()) return modem_connected;
  // The outputs DTR, RTS, OUT1, OUT2 come back as DSR, CTS, RI, DCD.
  const unsigned control = registers_.modem_control;
  return static_cast<std::uint8_t>((control & 0x0c) << 4 | (control & 0x02) << 3 |
                                   (control & 0x01) << 5);
}

void Serial::offer_room() {
  const bool roomy = received_.size() <= fifo_size / 2;
  if (accepts_input() && roomy && std::exchange(input_waits_, false)) line_.receiver_ready();
}

void Serial::raise_if_pending() {
  if (interrupt_identity() != identity_none) interrupt_line_();
}

std::size_t Serial::receive(std::span<const std::byte> bytes) {
  const std::lock_guard lock(mutex_);
  const std::size_t room = accepts_input() ? fifo_size - received_.size() : 0;
  const std::size_t count = std::min(room, bytes.size());
  for (const std::byte value : bytes.first(count)) {
    received_.push_back(std::to_integer<std::uint8_t>(value));
  }
  input_waits_ = count < bytes.size();
  if (count > 0) raise_if_pending();
  return count;
}

void Serial::transmitter_ready() {
  const std::lock_guard lock(mutex_);
  if (!std::exchange(transmitter_busy_, false)) return;
  transmitter_event_ = true;
  raise_if_pending();
}

}  // namespace twinbox::vmm
