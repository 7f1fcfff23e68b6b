// One port of the multiport console: its state and the bytes between its queues and its socket.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "vmm/virtio/queue.hpp"

namespace twinbox::vmm::virtio {

// What the driver has yet to be told of a port; at most one message of each kind waits, so a guest
// cannot make them pile up.
struct PendingControl {
  bool add = false;
  bool name = false;
  bool open = false;
};

class ConsolePort {
 public:
  // The socket is borrowed and must be non-blocking.
  ConsolePort(std::string name, int socket) : name_(std::move(name)), socket_(socket) {}

  const std::string& name() const { return name_; }
  int socket() const { return socket_; }

  // The guest has opened or closed its end.
  void set_guest_open(bool open) { guest_open_ = open; }
  // False once the peer will send no more and all of it was passed on.
  bool host_open() const { return !input_ended_; }
  PendingControl& pending() { return pending_; }

  // Moves bytes from the socket into the receive queue, until the guest has no buffer, the socket
  // no bytes, or a fair share was moved (then true: come again).
  bool pump_to_guest(Queue& receive_queue);
  // Moves bytes from the transmit queue to the socket, likewise.
  bool pump_to_host(Queue& transmit_queue);

  // The driver is gone; what it has lent is forgotten.
  void forget_driver();

 private:
  bool fill_chain(Queue& receive_queue, bool& progressed);
  void end_output();

  std::string name_;
  int socket_;
  bool guest_open_ = false;
  bool input_ended_ = false;   // end of file, or the socket failed
  bool output_ended_ = false;  // the peer reads no more: what the guest sends is dropped
  PendingControl pending_;
  // A transmitted chain of which the socket has taken the first bytes.
  std::optional<DescriptorChain> transmitting_;
  std::uint64_t transmitted_ = 0;
};

}  // namespace twinbox::vmm::virtio
