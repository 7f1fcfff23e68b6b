#include "vmm/boot/trim_elf.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/file.hpp"
#include "base/syscall.hpp"
#include "tests/unit/vmm/boot/test_kernel.hpp"

namespace twinbox::vmm::boot {
namespace {

class TrimElf : public testing::Test {
 protected:
  std::string trimmed(const std::string& file) {
    const auto path = directory_.path() / "vmlinux";
    base::write_file(path, file);
    trim_elf(base::open_file(path, O_RDWR).get());
    return base::read_file(path);
  }
  static Elf64_Phdr segment_of(const std::string& file) {
    Elf64_Phdr segment{};
    std::memcpy(&segment, file.data() + sizeof(Elf64_Ehdr), sizeof segment);
    return segment;
  }

  base::TemporaryDirectory directory_;
};

TEST_F(TrimElf, LeavesOutTheZerosAtASegmentsEnd) {
  TestKernel kernel;
  kernel.code_size = 500'000;
  kernel.segment.p_filesz = kernel.code_size;
  kernel.segment.p_memsz = kernel.code_size;
  auto file = kernel.file();
  std::fill(file.begin() + TestKernel::code_offset + 1234, file.end(), '\0');

  const auto result = trimmed(file);

  EXPECT_EQ(1234U, segment_of(result).p_filesz);
  EXPECT_EQ(kernel.code_size, segment_of(result).p_memsz);
  EXPECT_EQ(file.substr(TestKernel::code_offset), result.substr(TestKernel::code_offset));
}

TEST_F(TrimElf, LeavesAllZerosOut) {
  const TestKernel kernel;
  auto file = kernel.file();
  std::fill(file.begin() + TestKernel::code_offset, file.end(), '\0');
  EXPECT_EQ(0U, segment_of(trimmed(file)).p_filesz);
}

TEST_F(TrimElf, LeavesAFullSegmentAlone) {
  const TestKernel kernel;
  EXPECT_EQ(kernel.file(), trimmed(kernel.file()));
}

TEST_F(TrimElf, LeavesABrokenFileAlone) {
  const TestKernel kernel;
  for (const auto size : {10U, 70U, 100U, 5000U}) {
    const auto file = kernel.file().substr(0, size);
    EXPECT_EQ(file, trimmed(file)) << size;
  }
}

}  // namespace
}  // namespace twinbox::vmm::boot
