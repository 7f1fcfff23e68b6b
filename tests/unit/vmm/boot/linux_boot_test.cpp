#include "vmm/boot/linux_boot.hpp"

#include <asm/bootparam.h>
#include <gtest/gtest.h>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/size.hpp"
#include "tests/unit/vmm/boot/test_kernel.hpp"
#include "vmm/boot/pvh_abi.hpp"
#include "vmm/layout.hpp"

namespace twinbox::vmm::boot {
namespace {

class LinuxBoot : public testing::Test {
 protected:
  BootRequest request(const TestKernel& kernel) {
    base::write_file(directory_.path() / "vmlinux", kernel.file());
    base::write_file(directory_.path() / "initrd", std::string(5000, 'i'));
    return {.kernel = (directory_.path() / "vmlinux").string(),
            .initrd = (directory_.path() / "initrd").string(),
            .command_line = "console=ttyS0",
            .rsdp = GuestAddress{0xe'0000}};
  }
  std::string command_line_at(std::uint64_t address) const {
    return reinterpret_cast<const char*>(memory_.slice({address}, 2048)->data());
  }

  base::TemporaryDirectory directory_;
  GuestMemory memory_{4 * base::mebibyte};
};

TEST_F(LinuxBoot, WithoutANoteUsesTheSixtyFourBitProtocol) {
  const auto entry = prepare_boot(request({}), memory_);
  EXPECT_EQ(entry.protocol, EntryProtocol::linux64);
  EXPECT_EQ(entry.address.value, TestKernel::load_address + 0x10);
  const auto params = memory_.read_object<boot_params>(entry.parameters);
  ASSERT_TRUE(params);
  EXPECT_EQ(params->hdr.boot_flag, 0xaa55);
  EXPECT_NE(params->hdr.kernel_alignment, 0U);
  EXPECT_EQ(command_line_at(params->hdr.cmd_line_ptr), "console=ttyS0");
  EXPECT_EQ(params->hdr.ramdisk_size, 5000U);
  EXPECT_EQ(*memory_.read_object<char>({params->hdr.ramdisk_image}), 'i');
  EXPECT_EQ(params->acpi_rsdp_addr, 0xe'0000U);
  ASSERT_EQ(params->e820_entries, 3);
  EXPECT_EQ(params->e820_table[1].addr, layout::reserved_low);
  EXPECT_EQ(params->e820_table[1].type, 2U);
}

TEST_F(LinuxBoot, WithANoteUsesPvh) {
  TestKernel kernel;
  kernel.add_pvh_note(TestKernel::load_address + 0x20);
  const auto entry = prepare_boot(request(kernel), memory_);
  EXPECT_EQ(entry.protocol, EntryProtocol::pvh);
  EXPECT_EQ(entry.address.value, TestKernel::load_address + 0x20);
  const auto start = memory_.read_object<pvh::StartInfo>(entry.parameters);
  ASSERT_TRUE(start);
  EXPECT_EQ(start->magic, pvh::start_info_magic);
  EXPECT_EQ(start->version, 1U);
  EXPECT_EQ(command_line_at(start->command_line), "console=ttyS0");
  ASSERT_EQ(start->modules, 1U);
  const auto module = memory_.read_object<pvh::Module>({start->modules_at});
  EXPECT_EQ(module->size, 5000U);
  EXPECT_EQ(*memory_.read_object<char>({module->address}), 'i');
  ASSERT_EQ(start->memory_ranges, 3U);
  const auto second =
      memory_.read_object<pvh::MemoryRange>({start->memory_map + sizeof(pvh::MemoryRange)});
  EXPECT_EQ(second->start, layout::reserved_low);
  EXPECT_EQ(second->type, 2U);
}

TEST_F(LinuxBoot, CommandLineHasALimit) {
  auto longest = request({});
  longest.command_line = std::string(max_command_line, 'x');
  EXPECT_NO_THROW(prepare_boot(longest, memory_));
  EXPECT_EQ(command_line_at(layout::command_line), longest.command_line);
  longest.command_line += "y";
  EXPECT_THROW(prepare_boot(longest, memory_), base::Error);
}

}  // namespace
}  // namespace twinbox::vmm::boot
