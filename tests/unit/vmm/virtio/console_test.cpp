#include <sys/socket.h>

#include "tests/unit/vmm/virtio/console_fixture.hpp"

namespace twinbox::vmm::virtio {
namespace {

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

}  // namespace
}  // namespace twinbox::vmm::virtio
