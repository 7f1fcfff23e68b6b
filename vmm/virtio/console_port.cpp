#include "vmm/virtio/console_port.hpp"

#include <algorithm>
#include <utility>

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/syscall.hpp"

namespace twinbox::vmm::virtio {
namespace {

// Moved in one turn at most, so that one port does not keep the event loop from the others.
constexpr std::uint64_t fair_share = std::uint64_t{256} * 1024;

}  // namespace

void ConsolePort::on_socket(bool readable, bool writable, bool hung_up) {
  may_receive_ = may_receive_ || readable || hung_up;
  may_send_ = may_send_ || writable;
  if (hung_up) output_ended_ = true;
}

std::optional<std::size_t> ConsolePort::receive(Segment into) {
  std::optional<std::size_t> count;
  try {
    count = base::receive_some(socket_, into);
  } catch (const base::Error& error) {
    base::log(base::LogLevel::debug, "console port {}: {}", name_, error.what());
    output_ended_ = true;
    count = 0;
  }
  if (!count) may_receive_ = false;
  if (count == 0U) input_ended_ = true;
  return count;
}

std::optional<std::size_t> ConsolePort::send(std::span<const std::byte> bytes) {
  if (output_ended_) return bytes.size();
  try {
    const auto count = base::send_some(socket_, bytes);
    if (!count) may_send_ = false;
    return count;
  } catch (const base::Error& error) {
    base::log(base::LogLevel::debug, "console port {}: {}", name_, error.what());
    output_ended_ = true;
    return bytes.size();
  }
}

ConsolePort::Pumped ConsolePort::pump_to_guest(Queue& receive_queue) {
  std::uint64_t moved = 0;
  while (state_.guest_open && may_receive_ && !input_ended_) {
    if (moved >= fair_share) return Pumped::share_used_up;
    if (!receiving_) receiving_ = receive_queue.pop();
    if (!receiving_) {
      // Only now does it matter to us when the guest adds a buffer.
      if (receive_queue.enable_notifications()) continue;
      break;
    }
    const Segment room = receiving_->writer().peek();
    if (room.empty()) {
      // A buffer without room is given back, and counted like a move lest it never ends.
      moved += fair_share / receive_queue.size();
      receive_queue.complete(*std::exchange(receiving_, std::nullopt), 0);
      continue;
    }
    const auto count = receive(room).value_or(0);
    if (count == 0) break;
    moved += count;
    receive_queue.complete(*std::exchange(receiving_, std::nullopt),
                           static_cast<std::uint32_t>(count));
  }
  return Pumped::all;
}

ConsolePort::Pumped ConsolePort::pump_to_host(Queue& transmit_queue) {
  std::uint64_t moved = 0;
  transmit_queue.disable_notifications();
  while (may_send_ || output_ended_) {
    if (moved >= fair_share) return Pumped::share_used_up;
    if (!transmitting_) transmitting_ = transmit_queue.pop();
    if (!transmitting_) {
      if (transmit_queue.enable_notifications()) continue;
      break;
    }
    SegmentCursor rest = transmitting_->reader();
    rest.skip(std::min(state_.transmitted, rest.remaining()));
    while (rest.remaining() > 0) {
      const auto count = send(rest.peek());
      if (!count) return Pumped::all;
      rest.skip(*count);
      state_.transmitted += *count;
    }
    moved += std::max<std::uint64_t>(state_.transmitted, fair_share / transmit_queue.size());
    transmit_queue.complete(*std::exchange(transmitting_, std::nullopt), 0);
    state_.transmitted = 0;
  }
  return Pumped::all;
}

void ConsolePort::forget_driver() {
  state_ = {};
  receiving_.reset();
  transmitting_.reset();
}

void ConsolePort::set_guest_ready() {
  state_.guest_ready = true;
  state_.pending.name = !name_.empty();
  state_.pending.open = host_open();
}

void ConsolePort::note_host_state() {
  if (state_.guest_ready && state_.told_open != host_open()) state_.pending.open = true;
}

void ConsolePort::set_told_open(bool open) {
  state_.pending.open = false;
  state_.told_open = open;
}

}  // namespace twinbox::vmm::virtio
