// One port of the multiport console: its state and the bytes between its queues and its socket.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "vmm/virtio/queue.hpp"

namespace twinbox::vmm::virtio {

class ConsolePort {
 public:
  // What the driver has yet to be told of the port. At most one message of each kind waits, so a
  // guest cannot make them pile up.
  struct PendingControl {
    bool add = false;
    bool name = false;
    bool open = false;
  };
  enum class Pumped {
    all,            // what could be moved
    share_used_up,  // there may be more: come again after others had their turn
  };

  // The socket is borrowed.
  ConsolePort(std::string name, int socket) : name_(std::move(name)), socket_(socket) {}

  const std::string& name() const { return name_; }
  int socket() const { return socket_; }

  // Edges of the socket's state.
  void on_socket(bool readable, bool writable, bool hung_up);
  // Moves bytes from the socket into the receive queue.
  Pumped pump_to_guest(Queue& receive_queue);
  // Moves bytes from the transmit queue to the socket; drops them once the peer is gone.
  Pumped pump_to_host(Queue& transmit_queue);

  // False once the peer neither sends nor takes any more, and all it sent was passed on. (A peer
  // that only sends no more stays open: Linux lets nobody write to a closed port.)
  bool host_open() const { return !(input_ended_ && output_ended_); }

  PendingControl& pending() { return state_.pending; }
  // The driver knows the port, and is to hear its name and state.
  void set_guest_ready();
  // A program in the guest has opened or closed it; Linux drops what comes to a closed one.
  void set_guest_open(bool open) { state_.guest_open = open; }
  // Has the driver told of host_open() if it last heard otherwise.
  void note_host_state();
  // The driver was told.
  void set_told_open(bool open);
  // What the driver knows of the port and has done with it. The socket is not part of it: a
  // restored port has another one.
  struct DriverState {
    bool guest_ready = false;
    bool guest_open = false;
    bool told_open = false;
    PendingControl pending;
    std::uint64_t transmitted = 0;  // of the first chain of the transmit queue
  };
  DriverState save() const { return state_; }
  void restore(const DriverState& state) { state_ = state; }
  // The driver is gone; what it has lent is forgotten.
  void forget_driver();

 private:
  std::optional<std::size_t> receive(Segment into);
  std::optional<std::size_t> send(std::span<const std::byte> bytes);

  std::string name_;
  int socket_;
  bool may_receive_ = true;  // until a call says otherwise
  bool may_send_ = true;
  bool input_ended_ = false;
  bool output_ended_ = false;
  DriverState state_;
  std::optional<DescriptorChain> receiving_;     // a buffer that waits for bytes
  std::optional<DescriptorChain> transmitting_;  // a chain whose first bytes the socket has taken
};

}  // namespace twinbox::vmm::virtio
