#include "vmm/virtio/console.hpp"

#include <sys/epoll.h>

#include <algorithm>
#include <utility>

#include "base/error.hpp"

namespace twinbox::vmm::virtio {
namespace {

namespace wire = abi::console;

// Linux fills every receive queue with a page for each entry when it finds a port.
constexpr std::uint16_t data_queue_size = 32;
constexpr std::uint16_t control_queue_size = 16;

// 5.3.2: port 0 has queues 0 and 1, the control pair is next, then the other ports.
constexpr std::uint16_t receive_queue(std::size_t port) {
  return static_cast<std::uint16_t>(port == 0 ? 0 : 2 * port + 2);
}
constexpr std::uint16_t transmit_queue(std::size_t port) {
  return static_cast<std::uint16_t>(receive_queue(port) + 1);
}
constexpr std::size_t port_of_queue(std::uint16_t queue) { return queue < 2 ? 0 : queue / 2U - 1; }

}  // namespace

Console::Console(base::EventLoop& loop, const std::vector<Port>& ports) : loop_(loop) {
  if (ports.empty()) throw base::Error(base::ErrorKind::internal, "a console without ports");
  config_.max_ports = static_cast<std::uint32_t>(ports.size());
  queue_sizes_.assign(2 * (ports.size() + 1), data_queue_size);
  queue_sizes_[wire::control_receive_queue] = control_queue_size;
  queue_sizes_[wire::control_transmit_queue] = control_queue_size;
  for (std::size_t i = 0; i < ports.size(); ++i) {
    ports_.push_back(std::make_unique<ConsolePort>(ports[i].name, ports[i].descriptor));
    // Edge-triggered: flow control then needs no change of the watch.
    loop_.add(ports[i].descriptor, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
              [this, i](std::uint32_t events) { on_socket(i, events); });
  }
}

Console::~Console() {
  for (const auto& port : ports_) loop_.remove(port->socket());
}

void Console::on_reset() {
  for (const auto& port : ports_) port->forget_driver();
}

void Console::on_save(StateWriter& writer) const {
  for (const auto& port : ports_) writer.put(port->save());
}

void Console::on_restore(StateReader& reader) {
  for (const auto& port : ports_) port->restore(reader.get<ConsolePort::DriverState>());
}

void Console::on_socket(std::size_t port, std::uint32_t events) {
  const std::lock_guard lock(mutex());
  ports_[port]->on_socket((events & (EPOLLIN | EPOLLRDHUP)) != 0, (events & EPOLLOUT) != 0,
                          (events & (EPOLLHUP | EPOLLERR)) != 0);
  if (active()) pump(port);
}

void Console::on_queue(std::uint16_t index) {
  if (index == wire::control_transmit_queue) {
    serve_chains(index, [this](DescriptorChain chain) { receive_control(std::move(chain)); });
    send_pending_control();
  } else if (index == wire::control_receive_queue) {
    send_pending_control();
  } else {
    pump(port_of_queue(index));
  }
}

void Console::pump(std::size_t port) {
  ConsolePort& pumped = *ports_[port];
  const std::uint16_t to_guest = receive_queue(port);
  const std::uint16_t to_host = transmit_queue(port);
  using enum ConsolePort::Pumped;
  if (pumped.pump_to_guest(queue(to_guest)) == share_used_up) link().process_again(to_guest);
  if (pumped.pump_to_host(queue(to_host)) == share_used_up) link().process_again(to_host);
  settle(to_guest);
  settle(to_host);
  pumped.note_host_state();
  if (pumped.pending().open) send_pending_control();
}

void Console::receive_control(DescriptorChain chain) {
  const auto message = chain.reader().read_object<wire::Control>();
  queue(wire::control_transmit_queue).complete(std::move(chain), 0);
  if (!message) return count_fault("a control message is too short");
  handle_control(*message);
}

void Console::handle_control(const wire::Control& message) {
  if (message.event == wire::device_ready) {
    for (const auto& port : ports_) port->pending().add = message.value == 1;
    return;
  }
  if (message.port >= ports_.size()) return count_fault("a control message is about no port");
  ConsolePort& port = *ports_[message.port];
  switch (message.event) {
    case wire::port_ready:
      if (message.value == 1) port.set_guest_ready();
      return;
    case wire::port_open:
      port.set_guest_open(message.value == 1);
      return pump(message.port);
    default:
      return count_fault("a control message of an unknown kind");
  }
}

// Messages wait until the driver has lent buffers for them.
void Console::send_pending_control() {
  for (std::uint32_t i = 0; i < ports_.size(); ++i) {
    ConsolePort& port = *ports_[i];
    auto& pending = port.pending();
    if (pending.add && send_control({i, wire::port_add, 1}, {})) pending.add = false;
    if (pending.name && send_control({i, wire::port_name, 1}, port.name())) pending.name = false;
    const bool open = port.host_open();
    if (pending.open && send_control({i, wire::port_open, open}, {})) port.set_told_open(open);
  }
  settle(wire::control_receive_queue);
}

// False while there is no buffer.
bool Console::send_control(wire::Control message, std::string_view name) {
  Queue& messages = queue(wire::control_receive_queue);
  std::optional<DescriptorChain> chain;
  do {
    chain = messages.pop();
  } while (!chain && messages.enable_notifications());
  if (!chain) return false;
  SegmentCursor cursor = chain->writer();
  std::uint32_t written = 0;
  if (cursor.remaining() >= sizeof(message) + name.size()) {
    written = static_cast<std::uint32_t>(cursor.write(std::as_bytes(std::span(&message, 1))) +
                                         cursor.write(std::as_bytes(std::span(name))));
  } else {
    count_fault("a control message has no room in its buffer");
  }
  messages.complete(std::move(*chain), written);
  return true;
}

}  // namespace twinbox::vmm::virtio
