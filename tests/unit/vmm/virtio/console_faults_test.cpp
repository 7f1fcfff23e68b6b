// What a guest that is wrong, or ends in the middle, can do to the console.
#include "tests/unit/vmm/virtio/console_fixture.hpp"

namespace twinbox::vmm::virtio {
namespace {

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
