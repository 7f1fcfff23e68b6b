#include "vmm/devices/bus.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "base/error.hpp"

namespace twinbox::vmm {
namespace {

class Recorder final : public BusDevice {
 public:
  void read(std::uint64_t offset, std::span<std::byte> data) override {
    std::ranges::fill(data, static_cast<std::byte>(offset));
  }
  void write(std::uint64_t offset, std::span<const std::byte> data) override {
    writes.emplace_back(offset, data.size());
  }
  std::vector<std::pair<std::uint64_t, std::size_t>> writes;
};

template <std::size_t Size>
std::array<std::byte, Size> read(const Bus& bus, std::uint64_t address) {
  std::array<std::byte, Size> data{};
  bus.read(address, data);
  return data;
}

constexpr std::byte ones{0xff};

TEST(Bus, AccessReachesTheDeviceByItsOffset) {
  Bus bus;
  Recorder device;
  bus.add(0x1000, 0x100, device);
  EXPECT_EQ(read<1>(bus, 0x1042)[0], std::byte{0x42});
  bus.write(0x10fc, std::array<std::byte, 4>{});
  ASSERT_EQ(device.writes.size(), 1U);
  EXPECT_EQ(device.writes[0], std::pair(std::uint64_t{0xfc}, std::size_t{4}));
}

TEST(Bus, UnmappedReadsAreAllOnes) {
  Bus bus;
  Recorder device;
  bus.add(0x1000, 0x100, device);
  for (const std::uint64_t address : {0x0ULL, 0xfffULL, 0x1100ULL, ~0ULL}) {
    for (const std::byte value : read<8>(bus, address)) EXPECT_EQ(value, ones);
  }
}

TEST(Bus, AccessAcrossADevicesEndReachesNobody) {
  Bus bus;
  Recorder device;
  bus.add(0x1000, 0x100, device);
  for (const std::byte value : read<4>(bus, 0x10fe)) EXPECT_EQ(value, ones);
  for (const std::byte value : read<4>(bus, 0xffe)) EXPECT_EQ(value, ones);
  bus.write(0x10fe, std::array<std::byte, 4>{});
  EXPECT_TRUE(device.writes.empty());
}

TEST(Bus, NeighboursMayTouch) {
  Bus bus;
  Recorder low;
  Recorder high;
  bus.add(0x1000, 0x100, low);
  bus.add(0x1100, 0x100, high);
  bus.write(0x1100, std::array<std::byte, 1>{});
  EXPECT_TRUE(low.writes.empty());
  EXPECT_EQ(high.writes.size(), 1U);
}

TEST(Bus, OverlapIsAnInternalError) {
  Bus bus;
  Recorder device;
  bus.add(0x1000, 0x100, device);
  EXPECT_THROW(bus.add(0x10ff, 1, device), base::Error);
  EXPECT_THROW(bus.add(0xf00, 0x101, device), base::Error);
  EXPECT_THROW(bus.add(0x1000, 0x100, device), base::Error);
}

}  // namespace
}  // namespace twinbox::vmm
