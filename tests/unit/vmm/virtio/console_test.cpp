#include "vmm/virtio/console.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <chrono>
#include <cstring>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/syscall.hpp"
#include "tests/support/fake_driver.hpp"
#include "vmm/virtio/attach.hpp"

namespace twinbox::vmm::virtio {
namespace {

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

// --- Finding the ports ---

TEST_F(ConsoleTest, TellsItsPortsAndQueues) {
  EXPECT_EQ(driver_->read(abi::mmio::device_id), 3U);
  EXPECT_EQ(driver_->read(abi::mmio::config + 4), 2U);
  EXPECT_NE(driver_->offered_features() & console::feature_multiport, 0U);
  driver_->write(abi::mmio::queue_select, 5);
  EXPECT_NE(driver_->read(abi::mmio::queue_size_max), 0U);
  driver_->write(abi::mmio::queue_select, 6);
  EXPECT_EQ(driver_->read(abi::mmio::queue_size_max), 0U);
}

TEST_F(ConsoleTest, ReadyDriverHearsOfEachPortThenOfItsNameAndState) {
  driver_->start();
  for (int i = 0; i < 8; ++i) lend(console::control_receive_queue, 64);
  control(0, console::device_ready, 1);
  EXPECT_EQ(message(), (Message{0, console::port_add, 1, ""}));
  EXPECT_EQ(message(), (Message{1, console::port_add, 1, ""}));
  EXPECT_EQ(message(), std::nullopt);
  control(1, console::port_ready, 1);
  EXPECT_EQ(message(), (Message{1, console::port_name, 1, "log"}));
  EXPECT_EQ(message(), (Message{1, console::port_open, 1, ""}));
  EXPECT_EQ(message(), std::nullopt);
  EXPECT_GE(interrupts_, 1);
}

TEST_F(ConsoleTest, MessagesWaitForBuffers) {
  driver_->start();
  control(0, console::device_ready, 1);
  EXPECT_EQ(message(), std::nullopt);
  lend(console::control_receive_queue, 64);
  settle();
  EXPECT_EQ(message(), (Message{0, console::port_add, 1, ""}));
  EXPECT_EQ(message(), std::nullopt);
  lend(console::control_receive_queue, 64);
  settle();
  EXPECT_EQ(message(), (Message{1, console::port_add, 1, ""}));
}

TEST_F(ConsoleTest, DriverThatFailedHearsNothing) {
  driver_->start();
  for (int i = 0; i < 8; ++i) lend(console::control_receive_queue, 64);
  control(0, console::device_ready, 0);
  control(0, console::port_ready, 0);
  EXPECT_EQ(message(), std::nullopt);
}

// --- Bytes ---

TEST_F(ConsoleTest, BytesGoBothWays) {
  start();
  transmit(0, "hello from the guest");
  EXPECT_TRUE(await([this] { return take(0) == "hello from the guest"; }));
  lend(rx[0]);
  base::write_all(peers_[0].get(), "hello from the host");
  std::optional<std::string> seen;
  EXPECT_TRUE(await([&] { return (seen = received(rx[0])).has_value(); }));
  EXPECT_EQ(seen, "hello from the host");
}

TEST_F(ConsoleTest, PortsAreSeparate) {
  start();
  control(1, console::port_open, 1);
  transmit(1, "one");
  transmit(0, "zero");
  settle();
  EXPECT_EQ(take(0), "zero");
  EXPECT_EQ(take(1), "one");
}

TEST_F(ConsoleTest, TransmittedBufferComesBackUsed) {
  start();
  transmit(0, "x");
  settle();
  const auto used = driver_->queue(tx[0]).take_used();
  ASSERT_TRUE(used);
  EXPECT_EQ(used->length, 0U);
}

TEST_F(ConsoleTest, OneMessageMaySpanManyBuffers) {
  start();
  driver_->queue(tx[0]).send_indirect(
      {readable(guest_, "in "), readable(guest_, "three "), readable(guest_, "parts")});
  driver_->notify(tx[0]);
  EXPECT_TRUE(await([this] { return take(0) == "in three parts"; }));
}

// Linux drops what comes to a port that nobody has opened.
TEST_F(ConsoleTest, NothingIsSentBeforeTheGuestOpensThePort) {
  start();
  lend(rx[1]);
  base::write_all(peers_[1].get(), "early");
  settle();
  EXPECT_EQ(received(rx[1]), std::nullopt);
  control(1, console::port_open, 1);
  EXPECT_EQ(received(rx[1]), "early");
  control(1, console::port_open, 0);
  lend(rx[1]);
  base::write_all(peers_[1].get(), "late");
  settle();
  EXPECT_EQ(received(rx[1]), std::nullopt);
}

// --- Flow control ---

TEST_F(ConsoleTest, PeerThatDoesNotReadLeavesBuffersWithTheQueue) {
  start();
  std::string sent;
  const std::string piece(32 << 10, 'x');
  for (int i = 0; i < 30; ++i) {
    const std::string text = piece + std::to_string(i);
    sent += text;
    transmit(0, text);
  }
  settle();
  const auto stuck_at = driver_->queue(tx[0]).used_index();
  EXPECT_LT(stuck_at, 30);
  settle();
  EXPECT_EQ(driver_->queue(tx[0]).used_index(), stuck_at);
  std::string seen;
  EXPECT_TRUE(await([&] { return (seen += take(0)).size() >= sent.size(); }));
  EXPECT_EQ(seen, sent);
  EXPECT_TRUE(await([&] { return driver_->queue(tx[0]).used_index() == 30; }));
}

TEST_F(ConsoleTest, GuestWithoutBuffersLeavesBytesInTheSocket) {
  start();
  std::string sent;
  while (const auto count =
             base::write_some(peers_[0].get(), std::as_bytes(std::span("0123456789", 10)))) {
    sent += std::string("0123456789").substr(0, *count);
    if (sent.size() > 1 << 20) break;
  }
  settle();  // and nothing is lost, nor does anything spin
  EXPECT_FALSE(loop_.run_once(milliseconds(20)));
  std::string seen;
  while (seen.size() < sent.size()) {
    lend(rx[0]);
    settle();
    const auto piece = received(rx[0]);
    ASSERT_TRUE(piece);
    ASSERT_FALSE(piece->empty());
    seen += *piece;
  }
  EXPECT_EQ(seen, sent);
}

TEST_F(ConsoleTest, TenMegabytesArriveWhole) {
  start();
  std::string sent(10 << 20, '\0');
  for (std::size_t i = 0; i < sent.size(); ++i) sent[i] = static_cast<char>(i * 2654435761U >> 13);
  const Buffer buffers[] = {writable(guest_, 4096), writable(guest_, 4096), writable(guest_, 4096),
                            writable(guest_, 4096)};
  for (const Buffer& buffer : buffers) {
    lent_[rx[0]].push_back(buffer);
    driver_->queue(rx[0]).send({buffer});
  }
  driver_->notify(rx[0]);
  std::size_t written = 0;
  std::string seen;
  EXPECT_TRUE(await([&] {
    if (written < sent.size()) {
      const auto rest = std::as_bytes(std::span(sent)).subspan(written);
      written += base::write_some(peers_[0].get(), rest).value_or(0);
    }
    while (!lent_[rx[0]].empty()) {
      const Buffer buffer = lent_[rx[0]].front();
      const auto piece = received(rx[0]);
      if (!piece) break;
      seen += *piece;
      // As a driver with EVENT_IDX: it notifies only when the device asks for it.
      const auto before = driver_->queue(rx[0]).available_index();
      lent_[rx[0]].push_back(buffer);
      driver_->queue(rx[0]).send({buffer});
      if (driver_->queue(rx[0]).available_event() == before) driver_->notify(rx[0]);
    }
    return seen.size() >= sent.size();
  }));
  EXPECT_TRUE(seen == sent);
}

// --- Hang-up ---

TEST_F(ConsoleTest, PeerThatHangsUpIsReportedAfterItsLastBytes) {
  start();
  base::write_all(peers_[0].get(), "last words");
  peers_[0].reset();
  settle();
  EXPECT_EQ(message(), std::nullopt);  // they are still to be read
  lend(rx[0]);
  settle();
  EXPECT_EQ(received(rx[0]), "last words");
  lend(rx[0]);
  EXPECT_TRUE(await([this] { return message() == Message{0, console::port_open, 0, ""}; }));
  EXPECT_EQ(message(), std::nullopt);
  EXPECT_FALSE(loop_.run_once(milliseconds(20)));  // a hung-up socket must not spin
}

TEST_F(ConsoleTest, BytesForAPeerThatIsGoneAreDropped) {
  start();
  peers_[0].reset();
  for (int i = 0; i < 100; ++i) {
    transmit(0, "nobody reads this");
    settle();
  }
  EXPECT_EQ(driver_->queue(tx[0]).used_index(), 100);
}

TEST_F(ConsoleTest, PeerThatOnlySendsNoMoreStillHears) {
  start();
  lend(rx[0]);
  ASSERT_EQ(::shutdown(peers_[0].get(), SHUT_WR), 0);
  settle();
  EXPECT_EQ(message(), std::nullopt);
  transmit(0, "still here");
  EXPECT_TRUE(await([this] { return take(0) == "still here"; }));
}

// --- Hostile drivers ---

TEST_F(ConsoleTest, HostileControlMessagesAreCountedAndHarmless) {
  start();
  const auto& device = console_->device();
  const auto before = device.faults();
  control(2, console::port_open, 1);
  control(~0U, console::port_ready, 1);
  control(0, 999, 1);
  control(0, console::port_add, 1);
  driver_->queue(console::control_transmit_queue).send({readable(guest_, "short")});
  driver_->queue(console::control_transmit_queue).send({writable(guest_, 8)});
  driver_->notify(console::control_transmit_queue);
  settle();
  EXPECT_EQ(device.faults(), before + 6);
  EXPECT_EQ(driver_->status(), 0x0fU);
  transmit(0, "alive");
  EXPECT_TRUE(await([this] { return take(0) == "alive"; }));
}

TEST_F(ConsoleTest, FloodOfReadyMessagesDoesNotPileUp) {
  driver_->start();
  for (int i = 0; i < 10'000; ++i) control(0, console::device_ready, 1);
  for (int i = 0; i < 16; ++i) lend(console::control_receive_queue, 64);
  settle();
  int messages = 0;
  while (message()) ++messages;
  EXPECT_EQ(messages, 2);
}

TEST_F(ConsoleTest, BuffersWithoutRoomAreGivenBack) {
  start();
  driver_->queue(rx[0]).send({readable(guest_, "not writable")});
  driver_->notify(rx[0]);
  base::write_all(peers_[0].get(), "bytes");
  settle();
  EXPECT_EQ(driver_->queue(rx[0]).take_used()->length, 0U);
  lend(rx[0]);
  settle();
  EXPECT_EQ(received(rx[0]), "bytes");
}

TEST_F(ConsoleTest, ControlBufferTooSmallForItsMessageIsAFaultOnly) {
  driver_->start();
  lend(console::control_receive_queue, 4);
  lend(console::control_receive_queue, 64);
  control(0, console::device_ready, 1);
  EXPECT_EQ(received(console::control_receive_queue), "");
  EXPECT_EQ(message(), (Message{1, console::port_add, 1, ""}));
  EXPECT_EQ(console_->device().faults(), 1U);
}

TEST_F(ConsoleTest, BrokenDataQueueAsksForAReset) {
  start();
  driver_->queue(tx[1]).publish(1000);
  driver_->notify(tx[1]);
  settle();
  EXPECT_EQ(driver_->status(), 0x4fU);
}

TEST_F(ConsoleTest, ResetForgetsWhatWasLentAndOpen) {
  start();
  lend(rx[0]);
  settle();
  driver_->write(abi::mmio::status, 0);
  base::write_all(peers_[0].get(), "for the next driver");
  settle();
  EXPECT_EQ(driver_->queue(rx[0]).used_index(), 0);
  for (auto& lent : lent_) lent.clear();
  start();
  lend(rx[0]);
  settle();
  EXPECT_EQ(received(rx[0]), "for the next driver");
}

}  // namespace
}  // namespace twinbox::vmm::virtio
