#include "vmm/boot/acpi/tables.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>
#include <cstring>
#include <numeric>
#include <sstream>
#include <string>

#include "base/file.hpp"
#include "vmm/boot/acpi/table.hpp"
#include "vmm/layout.hpp"

namespace twinbox::vmm::boot::acpi {
namespace {

using Bytes = std::vector<std::byte>;

constexpr std::uint64_t mebibyte = 1 << 20;

unsigned sum(std::span<const std::byte> bytes) {
  return std::accumulate(bytes.begin(), bytes.end(), 0U,
                         [](unsigned total, std::byte byte) {
                           return total + std::to_integer<unsigned>(byte);
                         }) &
         0xff;
}

// What the ACPI reference implementation reads in a table; nothing is skipped when it is missing,
// because then nobody has checked the tables.
class Disassembly {
 public:
  explicit Disassembly(const Bytes& table) {
    const auto file = directory_.path() / "table.dat";
    base::write_file(file, {reinterpret_cast<const char*>(table.data()), table.size()});
    const auto command =
        "cd " + directory_.path().string() + " && iasl -d table.dat > messages 2>&1";
    status_ = std::system(command.c_str());
    messages_ = base::read_file(directory_.path() / "messages");
    if (status_ == 0) text_ = words_of(base::read_file(directory_.path() / "table.dsl"));
  }

  bool clean() const {
    return status_ == 0 && messages_.find("rror") == std::string::npos &&
           messages_.find("arning") == std::string::npos &&
           text_.find("Incorrect checksum") == std::string::npos;
  }
  bool has(const std::string& part) const { return text_.find(part) != std::string::npos; }
  const std::string& text() const { return text_; }
  const std::string& messages() const { return messages_; }

  // What it reads compiles back to a table.
  bool compiles() const {
    const auto command =
        "cd " + directory_.path().string() + " && iasl -p again table.dsl > again.log 2>&1";
    return std::system(command.c_str()) == 0;
  }

 private:
  // How the lines are broken and indented does not matter.
  static std::string words_of(const std::string& text) {
    std::istringstream stream(text);
    std::string words;
    for (std::string word; stream >> word;) words += word + " ";
    return words;
  }

  base::TemporaryDirectory directory_;
  int status_ = -1;
  std::string messages_;
  std::string text_;
};

TEST(AcpiTables, DsdtNamesEveryDeviceForTheReferenceImplementation) {
  const Disassembly read(dsdt({.cpus = 1, .virtio_devices = 2}));
  ASSERT_TRUE(read.clean()) << read.messages();
  EXPECT_TRUE(read.has(R"(Device (COM1) { Name (_HID, EisaId ("PNP0501"))")) << read.text();
  EXPECT_TRUE(read.has(R"(Device (VR00) { Name (_HID, "LNRO0005"))"));
  EXPECT_TRUE(read.has(R"(Device (VR01) { Name (_HID, "LNRO0005"))"));
  EXPECT_FALSE(read.has("VR02"));
  EXPECT_TRUE(read.has("0xD0001000, // Address Base"));
  EXPECT_TRUE(read.has("Interrupt (ResourceConsumer, Edge, ActiveHigh, Exclusive"));
  EXPECT_TRUE(read.has("0x00000006,"));  // the second device's line
  EXPECT_TRUE(read.has("IO (Decode16, 0x03F8"));
  EXPECT_TRUE(read.has(R"(Name (\_S5, Package (0x04))")) << read.text();
  EXPECT_TRUE(read.compiles());
}

TEST(AcpiTables, DsdtHoldsAsManyDevicesAsThereAreLines) {
  const Disassembly read(dsdt({.cpus = 8, .virtio_devices = layout::max_virtio_devices}));
  ASSERT_TRUE(read.clean()) << read.messages();
  EXPECT_TRUE(read.has("Device (VR18)"));
  EXPECT_TRUE(read.compiles());
}

TEST(AcpiTables, FadtSaysReducedHardwareAndNoCmosClock) {
  const Disassembly read(fadt(GuestAddress{0xe0040}));
  ASSERT_TRUE(read.clean()) << read.messages();
  EXPECT_TRUE(read.has("Hardware Reduced (V5) : 1")) << read.text();
  EXPECT_TRUE(read.has("CMOS RTC Not Present (V5) : 1"));
  EXPECT_TRUE(read.has("8042 Present on ports 60/64 (V2) : 0"));
  EXPECT_TRUE(read.has("Reset Register Supported (V2) : 1"));
  EXPECT_TRUE(read.has("DSDT Address : 00000000000E0040"));
  EXPECT_TRUE(read.has("Address : 0000000000000600"));
  EXPECT_TRUE(read.has("Address : 0000000000000601"));
}

TEST(AcpiTables, MadtListsEachProcessorAndTheIoApic) {
  const Disassembly read(madt({.cpus = 4, .virtio_devices = 0}));
  ASSERT_TRUE(read.clean()) << read.messages();
  EXPECT_TRUE(read.has("Local Apic ID : 03")) << read.text();
  EXPECT_FALSE(read.has("Local Apic ID : 04"));
  EXPECT_TRUE(read.has("Local Apic Address : FEE00000"));
  EXPECT_TRUE(read.has("Address : FEC00000"));
  EXPECT_TRUE(read.has("PC-AT Compatibility : 0"));
}

TEST(AcpiTables, RootPointerLeadsToTheTables) {
  const GuestMemory memory(2 * mebibyte);
  write_tables({.cpus = 2, .virtio_devices = 3}, memory);
  constexpr auto root = root_pointer;
  // Linux also searches for it from 0xe0000 on.
  EXPECT_EQ(root.value, layout::acpi_tables);
  const auto pointer = memory.slice(root, 36);
  ASSERT_TRUE(pointer);
  EXPECT_EQ(std::memcmp(pointer->data(), "RSD PTR ", 8), 0);
  EXPECT_EQ(sum(pointer->first(20)), 0U);
  EXPECT_EQ(sum(*pointer), 0U);
  const auto xsdt = GuestAddress{*memory.read_object<std::uint64_t>({root.value + 24})};
  const auto length = *memory.read_object<std::uint32_t>({xsdt.value + 4});
  EXPECT_EQ(sum(*memory.slice(xsdt, length)), 0U);
  ASSERT_EQ(length, 36U + 2 * 8);
  for (const std::uint64_t entry : {36U, 44U}) {
    const GuestAddress table{*memory.read_object<std::uint64_t>({xsdt.value + entry})};
    const auto size = *memory.read_object<std::uint32_t>({table.value + 4});
    EXPECT_EQ(sum(*memory.slice(table, size)), 0U);
    EXPECT_GE(table.value, layout::reserved_low);
    EXPECT_LE(table.value + size, layout::high_ram);
  }
}

}  // namespace
}  // namespace twinbox::vmm::boot::acpi
