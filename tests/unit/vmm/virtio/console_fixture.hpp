// A console device of two ports with its driver in the guest and its peers on the host.
#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <chrono>
#include <cstring>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/syscall.hpp"
#include "tests/support/fake_driver.hpp"
#include "vmm/virtio/attach.hpp"
#include "vmm/virtio/console.hpp"

namespace twinbox::vmm::virtio {

namespace console = abi::console;
using std::chrono::milliseconds;
using tests::Buffer;
using tests::readable;
using tests::writable;

struct Message {
  std::uint32_t port;
  std::uint16_t event;
  std::uint16_t value;
  std::string name;
  bool operator==(const Message&) const = default;
};

// Acts as Linux's virtio_console does.
class ConsoleTest : public testing::Test {
 protected:
  static constexpr std::uint16_t rx[] = {0, 4};
  static constexpr std::uint16_t tx[] = {1, 5};

  ConsoleTest() {
    std::vector<Console::Port> ports;
    for (const char* name : {"agent", "log"}) {
      auto [ours, theirs] = base::make_socket_pair();
      base::set_nonblocking(ours.get(), true);
      peers_.push_back(std::move(ours));
      ends_.push_back(std::move(theirs));
      ports.push_back({name, ends_.back().get()});
    }
    console_.emplace(loop_, guest_.memory(), std::make_unique<Console>(loop_, ports),
                     [this] { ++interrupts_; });
    driver_.emplace(guest_, console_->bus_device());
  }

  void settle() {
    while (loop_.run_once(milliseconds(0))) {
    }
  }
  bool await(const std::function<bool()>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!condition()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      loop_.run_once(milliseconds(20));
    }
    return true;
  }
  // Lends the device a buffer of a receive queue.
  void lend(std::uint16_t queue, std::uint32_t size = 4096) {
    const Buffer buffer = writable(guest_, size);
    lent_[queue].push_back(buffer);
    driver_->queue(queue).send({buffer});
    driver_->notify(queue);
  }
  // What the device has put into buffers of a receive queue, which are gone then.
  std::optional<std::string> received(std::uint16_t queue) {
    const auto used = driver_->queue(queue).take_used();
    if (!used) return std::nullopt;
    const Buffer buffer = lent_[queue].front();
    lent_[queue].pop_front();
    return guest_.text(buffer.address, used->length);
  }
  std::optional<Message> message() {
    const auto bytes = received(console::control_receive_queue);
    if (!bytes || bytes->size() < sizeof(console::Control)) return std::nullopt;
    console::Control wire{};
    std::memcpy(&wire, bytes->data(), sizeof(wire));
    return Message{wire.port, wire.event, wire.value, bytes->substr(sizeof(wire))};
  }
  void control(std::uint32_t port, std::uint16_t event, std::uint16_t value) {
    const console::Control wire{port, event, value};
    driver_->queue(console::control_transmit_queue)
        .send({{guest_.place_object(wire), sizeof(wire), false}});
    driver_->notify(console::control_transmit_queue);
    settle();
  }
  void transmit(std::size_t port, std::string_view text) {
    driver_->queue(tx[port]).send({readable(guest_, text)});
    driver_->notify(tx[port]);
  }
  std::string take(std::size_t port) {
    std::string text(1 << 18, '\0');
    text.resize(
        base::read_some(peers_[port].get(), std::as_writable_bytes(std::span(text))).value_or(0));
    return text;
  }
  // All of the driver's start, up to port 0 being open.
  void start() {
    driver_->start();
    for (int i = 0; i < 12; ++i) lend(console::control_receive_queue, 64);
    control(0, console::device_ready, 1);
    for (const std::uint32_t port : {0U, 1U}) control(port, console::port_ready, 1);
    while (message()) {
    }
    control(0, console::port_open, 1);
  }

  base::EventLoop loop_;
  tests::FakeGuest guest_{16 << 20};
  int interrupts_ = 0;
  std::vector<base::Fd> peers_;
  std::vector<base::Fd> ends_;
  std::optional<Attachment> console_;
  std::optional<tests::FakeDriver> driver_;
  std::deque<Buffer> lent_[6];
};

}  // namespace twinbox::vmm::virtio
