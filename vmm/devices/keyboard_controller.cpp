#include "vmm/devices/keyboard_controller.hpp"

#include <algorithm>

namespace twinbox::vmm {
namespace {

constexpr std::uint64_t data_port = 0;
constexpr std::uint64_t status_port = 4;
constexpr std::byte pulse_reset{0xfe};

// Output buffer always full, input buffer always empty. Whoever wants to send need not wait; and a
// driver that drains the output before it probes gives up after a few reads, since a controller
// that never runs dry is none (one that was merely silent would cost it half a second).
constexpr std::byte status{0x01};

}  // namespace

void KeyboardController::read(std::uint64_t offset, std::span<std::byte> data) {
  std::ranges::fill(data, std::byte{0xff});
  if (data.size() != 1) return;
  if (offset == data_port) data[0] = std::byte{0};
  if (offset == status_port) data[0] = status;
}

void KeyboardController::write(std::uint64_t offset, std::span<const std::byte> data) {
  if (offset == status_port && data.size() == 1 && data[0] == pulse_reset) reset_();
}

}  // namespace twinbox::vmm
