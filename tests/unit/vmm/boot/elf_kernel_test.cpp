#include "vmm/boot/elf_kernel.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/size.hpp"
#include "tests/unit/vmm/boot/test_kernel.hpp"

namespace twinbox::vmm::boot {
namespace {

class ElfKernel : public testing::Test {
 protected:
  std::string path() const { return (directory_.path() / "vmlinux").string(); }
  LoadedKernel load(const TestKernel& kernel) { return load(kernel.file()); }
  LoadedKernel load(const std::string& file) {
    base::write_file(path(), file);
    return load_elf_kernel(path(), memory_);
  }
  // The message of the refusal, which always names the file.
  std::string refusal(const std::string& file) {
    try {
      load(file);
    } catch (const base::Error& error) {
      EXPECT_NE(error.message().find(path()), std::string::npos);
      return error.message();
    }
    return "no refusal";
  }

  base::TemporaryDirectory directory_;
  GuestMemory memory_{4 * base::mebibyte};
};

TEST_F(ElfKernel, IsPlacedWhereItsHeadersSay) {
  const TestKernel kernel;
  const auto loaded = load(kernel);
  EXPECT_EQ(loaded.entry.value, TestKernel::load_address + 0x10);
  EXPECT_EQ(loaded.end.value, TestKernel::load_address + 2 * kernel.code_size);
  EXPECT_FALSE(loaded.pvh_entry);
  const auto at = [&](std::uint64_t offset) {
    return *memory_.read_object<char>({TestKernel::load_address + offset});
  };
  EXPECT_EQ(at(0), 'k');
  EXPECT_EQ(at(0x1fff), 'k');
  EXPECT_EQ(at(kernel.code_size - 1), 'k');  // the ragged end
  EXPECT_EQ(at(kernel.code_size), '\0');     // and the bss after it
  EXPECT_EQ(at(2 * kernel.code_size - 1), '\0');
}

TEST_F(ElfKernel, IsLoadedAlsoWhereFileAndMemoryDoNotMatchByPages) {
  TestKernel kernel;
  kernel.segment.p_paddr += 0x123;
  kernel.header.e_entry += 0x123;
  load(kernel);
  EXPECT_EQ(*memory_.read_object<char>({TestKernel::load_address + 0x123}), 'k');
  EXPECT_EQ(*memory_.read_object<char>({TestKernel::load_address + 0x122}), '\0');
  EXPECT_EQ(*memory_.read_object<char>({TestKernel::load_address + 0x123 + kernel.code_size}),
            '\0');
}

TEST_F(ElfKernel, IsNotChangedByItsGuest) {
  const TestKernel kernel;
  load(kernel);
  memory_.write_object(GuestAddress{TestKernel::load_address}, 'X');
  EXPECT_EQ(base::read_file(path()), kernel.file());
}

TEST_F(ElfKernel, PvhEntryIsFoundInItsNote) {
  TestKernel kernel;
  kernel.add_pvh_note(TestKernel::load_address + 0x20);
  EXPECT_EQ(load(kernel).pvh_entry, GuestAddress{TestKernel::load_address + 0x20});
}

TEST_F(ElfKernel, EntryOutsideOfItIsRefused) {
  TestKernel kernel;
  kernel.header.e_entry = 0x5000;
  EXPECT_NE(refusal(kernel.file()).find("entry at 0x5000"), std::string::npos);
  TestKernel with_note;
  with_note.add_pvh_note(0x6000);
  EXPECT_NE(refusal(with_note.file()).find("entry at 0x6000"), std::string::npos);
}

TEST_F(ElfKernel, EveryTruncationIsRefused) {
  const auto whole = TestKernel().file();
  for (const std::size_t size :
       {std::size_t{10}, std::size_t{70}, std::size_t{0x1000}, whole.size() - 1}) {
    EXPECT_NE(refusal(whole.substr(0, size)).find("truncated"), std::string::npos) << size;
  }
}

TEST_F(ElfKernel, OtherFilesAreRefused) {
  EXPECT_NE(refusal(std::string(4096, 'x')).find("no ELF file"), std::string::npos);
  TestKernel arm;
  arm.header.e_machine = EM_AARCH64;
  EXPECT_NE(refusal(arm.file()).find("64-bit x86"), std::string::npos);
  TestKernel empty;
  empty.header.e_phnum = 0;
  EXPECT_NE(refusal(empty.file()).find("no program headers"), std::string::npos);
}

TEST_F(ElfKernel, SegmentsOutsideOfMemoryAreRefused) {
  TestKernel large;
  large.segment.p_memsz = 64 * base::mebibyte;
  EXPECT_NE(refusal(large.file()).find("64.0 MiB"), std::string::npos);
  TestKernel overflowing;
  overflowing.segment.p_paddr = ~std::uint64_t{0} - 0x1000;
  EXPECT_NE(refusal(overflowing.file()).find("needs"), std::string::npos);
  TestKernel low;
  low.segment.p_paddr = 0x7000;
  EXPECT_NE(refusal(low.file()).find("below 1 MiB"), std::string::npos);
}

TEST_F(ElfKernel, SizesThatContradictEachOtherAreRefused) {
  TestKernel kernel;
  kernel.segment.p_memsz = kernel.segment.p_filesz - 1;
  EXPECT_NE(refusal(kernel.file()).find("larger than its memory"), std::string::npos);
  TestKernel overflowing;
  overflowing.segment.p_offset = ~std::uint64_t{0} - 10;
  EXPECT_NE(refusal(overflowing.file()).find("truncated"), std::string::npos);
}

TEST_F(ElfKernel, BrokenNotesAreNoEntry) {
  TestKernel kernel;
  kernel.note = {4, 0xffff'ffff, 18, 0x006e'6558, TestKernel::load_address};
  EXPECT_FALSE(load(kernel).pvh_entry);
}

TEST_F(ElfKernel, MissingFileIsNamed) {
  EXPECT_THROW(load_elf_kernel(path(), memory_), base::Error);
}

}  // namespace
}  // namespace twinbox::vmm::boot
