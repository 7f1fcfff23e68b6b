// The bare-metal guests know the machine by their own numbers; here the two are compared.
#include "guest-images/bare-metal/platform.hpp"

#include <gtest/gtest.h>

#include "vmm/layout.hpp"

namespace twinbox::vmm {
namespace {

namespace platform = guest::platform;

TEST(Platform, GuestsKnowTheMachinesAddresses) {
  EXPECT_EQ(platform::virtio_mmio, layout::virtio_mmio);
  EXPECT_EQ(platform::virtio_mmio_stride, layout::virtio_mmio_stride);
  EXPECT_EQ(platform::mark_register, layout::mark_register);
  EXPECT_EQ(platform::io_apic, layout::io_apic);
  EXPECT_EQ(platform::local_apic, layout::local_apic);
  EXPECT_EQ(platform::serial_gsi, layout::serial_gsi);
  EXPECT_EQ(platform::serial_port, layout::serial_port);
  EXPECT_EQ(platform::keyboard_command_port, layout::keyboard_port + 4);
  EXPECT_EQ(platform::sleep_control_port, layout::sleep_control_port);
  EXPECT_EQ(platform::reset_port, layout::reset_port);
}

}  // namespace
}  // namespace twinbox::vmm
