// The multiport console (virtio 1.2, 5.3): named byte streams between the guest and host sockets.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/event_loop.hpp"
#include "vmm/virtio/console_port.hpp"
#include "vmm/virtio/device.hpp"

namespace twinbox::vmm::virtio {

// Neither side is ever ahead of the other's buffers: bytes that a host peer does not take stay in
// the guest's queue, bytes that the guest gives no buffer for stay in the socket.
class Console final : public VirtioDevice {
 public:
  struct Port {
    std::string name;     // the guest finds it as /dev/virtio-ports/NAME
    int descriptor = -1;  // a connected stream socket, borrowed
  };

  // At least one port.
  Console(base::EventLoop& loop, const std::vector<Port>& ports);
  ~Console() override;

  std::uint32_t type() const override { return abi::type_console; }
  std::uint64_t features() const override { return abi::console::feature_multiport; }
  std::span<const std::uint16_t> queue_sizes() const override { return queue_sizes_; }
  std::span<const std::byte> config() const override {
    return std::as_bytes(std::span(&config_, 1));
  }

 private:
  void on_reset() override;
  void on_save(StateWriter& writer) const override;
  void on_restore(StateReader& reader) override;
  void on_queue(std::uint16_t index) override;
  void on_socket(std::size_t port, std::uint32_t events);
  void receive_control(DescriptorChain chain);
  void handle_control(const abi::console::Control& message);
  void send_pending_control();
  bool send_control(abi::console::Control message, std::string_view name);
  void pump(std::size_t port);

  base::EventLoop& loop_;
  std::vector<std::unique_ptr<ConsolePort>> ports_;
  std::vector<std::uint16_t> queue_sizes_;
  abi::console::Config config_{};
};

}  // namespace twinbox::vmm::virtio
