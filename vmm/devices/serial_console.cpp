#include "vmm/devices/serial_console.hpp"

#include <chrono>
#include <utility>

namespace twinbox::vmm {

SerialConsole::SerialConsole(base::EventLoop& loop, InterruptLine interrupt_line, Ends ends)
    : serial_(std::move(interrupt_line),
              {.transmit = [this](std::byte value) { return transmit(value); },
               .receiver_ready =
                   [this] {
                     if (input_) input_->wake();
                   }}) {
  if (ends.output >= 0) output_.emplace(loop, ends.output, [this] { serial_.transmitter_ready(); });
  if (ends.input >= 0) {
    input_.emplace(loop, ends.input,
                   [this](std::span<const std::byte> bytes) { return serial_.receive(bytes); });
  }
}

bool SerialConsole::transmit(std::byte value) {
  {
    const std::lock_guard lock(mutex_);
    last_lines_.put(static_cast<char>(value));
  }
  return !output_ || output_->put(value);
}

std::vector<std::string> SerialConsole::last_lines() const {
  const std::lock_guard lock(mutex_);
  return last_lines_.lines();
}

void SerialConsole::flush() {
  if (output_) output_->flush(std::chrono::seconds(1));
}

}  // namespace twinbox::vmm
