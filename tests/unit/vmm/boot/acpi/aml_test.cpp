#include "vmm/boot/acpi/aml.hpp"

#include <gtest/gtest.h>

namespace twinbox::vmm::boot::aml {
namespace {

Code bytes(std::initializer_list<int> values) {
  Code code;
  for (const int value : values) code.push_back(static_cast<std::byte>(value));
  return code;
}

// The examples of the specification, 20.2.4: the length counts itself.
TEST(Aml, PackageLengthGrowsWithWhatItCounts) {
  EXPECT_EQ(package_length(0), bytes({0x01}));
  EXPECT_EQ(package_length(62), bytes({0x3f}));
  EXPECT_EQ(package_length(63), bytes({0x41, 0x04}));          // 65 = 0x041
  EXPECT_EQ(package_length(4093), bytes({0x4f, 0xff}));        // 4095
  EXPECT_EQ(package_length(4094), bytes({0x81, 0x00, 0x01}));  // 4097 = 0x01001
}

TEST(Aml, IntegersTakeTheirShortestForm) {
  EXPECT_EQ(integer(0), bytes({0x00}));
  EXPECT_EQ(integer(1), bytes({0x01}));
  EXPECT_EQ(integer(5), bytes({0x0a, 5}));
  EXPECT_EQ(integer(0x1234), bytes({0x0b, 0x34, 0x12}));
  EXPECT_EQ(integer(0x12345678), bytes({0x0c, 0x78, 0x56, 0x34, 0x12}));
}

TEST(Aml, EisaIdIsTheKnownNumber) {
  EXPECT_EQ(eisa_id("PNP0501"), bytes({0x0c, 0x41, 0xd0, 0x05, 0x01}));
}

TEST(Aml, StringsEndWithAZero) { EXPECT_EQ(string("AB"), bytes({0x0d, 'A', 'B', 0})); }

TEST(Aml, NamesNestInDevices) {
  EXPECT_EQ(device("COM1", {name("_UID", integer(1))}),
            bytes({0x5b, 0x82, 11, 'C', 'O', 'M', '1', 0x08, '_', 'U', 'I', 'D', 0x01}));
}

}  // namespace
}  // namespace twinbox::vmm::boot::aml
