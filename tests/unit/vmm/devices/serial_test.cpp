#include "vmm/devices/serial.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "tests/unit/vmm/devices/bus_access.hpp"

namespace twinbox::vmm {
namespace {

enum : std::uint64_t {
  data = 0,
  ier = 1,
  iir = 2,
  fcr = 2,
  lcr = 3,
  mcr = 4,
  lsr = 5,
  msr = 6,
  scr = 7
};

class SerialTest : public testing::Test {
 protected:
  std::size_t type(std::string_view text) {
    return serial_.receive(std::as_bytes(std::span(text)));
  }
  std::string read_all() {
    std::string text;
    while ((in(serial_, lsr) & 0x01) != 0) text.push_back(static_cast<char>(in(serial_, data)));
    return text;
  }

  std::string printed_;
  bool has_room_ = true;
  int interrupts_ = 0;
  int room_offers_ = 0;
  Serial serial_{[this] { ++interrupts_; },
                 {.transmit =
                      [this](std::byte value) {
                        printed_.push_back(static_cast<char>(value));
                        return has_room_;
                      },
                  .receiver_ready = [this] { ++room_offers_; }}};
};

TEST_F(SerialTest, WrittenBytesAreTransmitted) {
  for (const char c : std::string("hello")) out(serial_, data, static_cast<unsigned char>(c));
  EXPECT_EQ(printed_, "hello");
  EXPECT_EQ(in(serial_, lsr), 0x60);
  EXPECT_EQ(interrupts_, 0);
}

TEST_F(SerialTest, DivisorLatchHidesDataAndInterruptEnable) {
  out(serial_, lcr, 0x83);
  out(serial_, data, 0x0c);
  out(serial_, ier, 0x01);
  EXPECT_EQ(in(serial_, data), 0x0c);
  EXPECT_EQ(in(serial_, ier), 0x01);
  out(serial_, lcr, 0x03);
  EXPECT_EQ(in(serial_, ier), 0x00);
  EXPECT_EQ(in(serial_, lcr), 0x03);
  EXPECT_EQ(printed_, "");
}

TEST_F(SerialTest, ScratchKeepsAByte) {
  out(serial_, scr, 0xa5);
  EXPECT_EQ(in(serial_, scr), 0xa5);
}

TEST_F(SerialTest, OnlyFourInterruptEnableBitsExist) {
  out(serial_, ier, 0xff);
  EXPECT_EQ(in(serial_, ier), 0x0f);
}

TEST_F(SerialTest, FifoControlShowsInTheIdentity) {
  EXPECT_EQ(in(serial_, iir), 0x01);
  out(serial_, fcr, 0x01);
  EXPECT_EQ(in(serial_, iir), 0xc1);  // a 16550A
  out(serial_, lcr, 0x80);
  EXPECT_NE(in(serial_, iir), 0);  // a zero here would make Linux think of a 16650
  out(serial_, lcr, 0xbf);
  EXPECT_NE(in(serial_, iir), 0);
}

TEST_F(SerialTest, InputInterruptsUntilItIsRead) {
  out(serial_, ier, 0x01);
  EXPECT_EQ(type("ab"), 2U);
  EXPECT_EQ(interrupts_, 1);
  EXPECT_EQ(in(serial_, iir), 0x04);
  EXPECT_EQ(read_all(), "ab");
  EXPECT_EQ(in(serial_, iir), 0x01);
  EXPECT_EQ(in(serial_, data), 0);
}

TEST_F(SerialTest, InputWaitsForTheDriver) {
  EXPECT_EQ(type("early"), 0U);
  EXPECT_EQ(room_offers_, 0);
  out(serial_, ier, 0x01);
  EXPECT_EQ(room_offers_, 1);
  EXPECT_EQ(type("early"), 5U);
}

TEST_F(SerialTest, FullReceiverTakesNoMoreAndSaysWhenItHasRoom) {
  out(serial_, ier, 0x01);
  EXPECT_EQ(type(std::string(100, 'x')), Serial::fifo_size);
  EXPECT_EQ(type("y"), 0U);
  EXPECT_EQ(room_offers_, 0);
  for (std::size_t i = 0; i < Serial::fifo_size; ++i) in(serial_, data);
  EXPECT_EQ(room_offers_, 1);
}

TEST_F(SerialTest, ClearingTheFifoDropsInput) {
  out(serial_, ier, 0x01);
  type("stale");
  out(serial_, fcr, 0x03);
  EXPECT_EQ(in(serial_, lsr) & 0x01, 0);
}

TEST_F(SerialTest, EmptyTransmitterInterruptsWhenItIsAllowedTo) {
  out(serial_, ier, 0x02);
  EXPECT_EQ(interrupts_, 1);
  EXPECT_EQ(in(serial_, iir), 0x02);
  EXPECT_EQ(in(serial_, iir), 0x01);  // reading it was the acknowledgement
  // Linux's test for ports that lose this interrupt.
  out(serial_, ier, 0x00);
  out(serial_, ier, 0x02);
  EXPECT_EQ(in(serial_, iir), 0x02);
  EXPECT_EQ(interrupts_, 2);
}

TEST_F(SerialTest, EachByteSentInterruptsAgain) {
  out(serial_, ier, 0x02);
  in(serial_, iir);
  out(serial_, data, 'x');
  EXPECT_EQ(interrupts_, 2);
  EXPECT_EQ(in(serial_, iir), 0x02);
}

TEST_F(SerialTest, PendingInputInterruptsWhenItIsEnabledLater) {
  out(serial_, ier, 0x01);
  type("x");
  out(serial_, ier, 0x00);
  const int before = interrupts_;
  out(serial_, ier, 0x01);
  EXPECT_EQ(interrupts_, before + 1);
}

TEST_F(SerialTest, StalledLineMakesTheTransmitterBusyUntilItIsReady) {
  out(serial_, ier, 0x02);
  in(serial_, iir);
  has_room_ = false;
  out(serial_, data, 'x');
  EXPECT_EQ(in(serial_, lsr) & 0x60, 0);
  EXPECT_EQ(in(serial_, iir), 0x01);
  has_room_ = true;
  const int before = interrupts_;
  serial_.transmitter_ready();
  EXPECT_EQ(interrupts_, before + 1);
  EXPECT_EQ(in(serial_, lsr) & 0x60, 0x60);
  EXPECT_EQ(in(serial_, iir), 0x02);
}

TEST_F(SerialTest, ReadyLineThatWasNotBusyIsNoNews) {
  out(serial_, ier, 0x02);
  const int before = interrupts_;
  serial_.transmitter_ready();
  EXPECT_EQ(interrupts_, before);
}

TEST_F(SerialTest, LoopbackConnectsOutputsToInputs) {
  out(serial_, mcr, 0x1a);  // loop, OUT2, RTS: the pattern Linux looks for
  EXPECT_EQ(in(serial_, msr) & 0xf0, 0x90);
  out(serial_, mcr, 0x15);  // loop, OUT1, DTR
  EXPECT_EQ(in(serial_, msr) & 0xf0, 0x60);
  out(serial_, data, 'L');
  EXPECT_EQ(printed_, "");
  EXPECT_EQ(read_all(), "L");
  out(serial_, mcr, 0x0b);
  EXPECT_EQ(in(serial_, msr), 0xb0);
}

TEST_F(SerialTest, StatusRegistersAreReadOnly) {
  out(serial_, lsr, 0x00);
  out(serial_, msr, 0x00);
  EXPECT_EQ(in(serial_, lsr), 0x60);
  EXPECT_EQ(in(serial_, msr), 0xb0);
}

TEST_F(SerialTest, WideAccessesReadAllOnesAndDoNothing) {
  EXPECT_EQ(in_wide<std::uint16_t>(serial_, data), 0xffff);
  EXPECT_EQ(in_wide<std::uint32_t>(serial_, lsr), 0xffff'ffffU);
  out_wide<std::uint16_t>(serial_, data, 0x4142);
  EXPECT_EQ(printed_, "");
}

}  // namespace
}  // namespace twinbox::vmm
