#include "vmm/boot/kernel_image.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <cstring>

#include "base/error.hpp"
#include "base/file.hpp"

namespace twinbox::vmm {
namespace {

namespace fs = std::filesystem;

class KernelImage : public testing::Test {
 protected:
  KernelImage() { ::setenv("TWINBOX_ROOT", (directory_.path() / "root").c_str(), 1); }

  fs::path write(const std::string& name, const std::string& text) const {
    base::write_file(directory_.path() / name, text);
    return directory_.path() / name;
  }
  // A kernel of some size that packs well, but not to nothing.
  static std::string elf() {
    std::string text =
        "\x7f"
        "ELF";
    for (int i = 0; i < 40'000; ++i) text += std::to_string(i);
    return text;
  }
  // A bzImage whose payload was packed by a tool of the system, as kernel builds do.
  fs::path bzimage(const std::string& packer) const {
    const auto plain = write("vmlinux", elf());
    const auto packed = directory_.path() / "packed";
    const auto command = packer + " < " + plain.string() + " > " + packed.string();
    EXPECT_EQ(std::system(command.c_str()), 0) << command;
    return write("bzImage", with_header(base::read_file(packed)));
  }
  static std::string with_header(const std::string& packed) {
    std::string file(1024, '\0');
    file[0x1f1] = 1;
    file.replace(0x1fe, 2, "\x55\xaa");
    file.replace(0x202, 4, "HdrS");
    file.replace(0x206, 2, "\x0f\x02");
    const auto size = static_cast<std::uint32_t>(elf().size());
    const auto length = static_cast<std::uint32_t>(packed.size() + 4);
    std::memcpy(file.data() + 0x24c, &length, sizeof length);
    std::string trailer(4, '\0');
    std::memcpy(trailer.data(), &size, sizeof size);
    return file + packed + trailer;
  }
  static std::string refusal(const fs::path& kernel) {
    try {
      prepare_kernel(kernel);
    } catch (const base::Error& error) {
      EXPECT_NE(error.message().find(kernel.string()), std::string::npos) << error.message();
      EXPECT_FALSE(error.hint().empty());
      return error.message();
    }
    return "no refusal";
  }
  std::size_t cached_files() const {
    std::size_t count = 0;
    for (const auto& entry : fs::directory_iterator(directory_.path() / "root/cache/kernels")) {
      count += entry.is_symlink() ? 0 : 1;
    }
    return count;
  }

  base::TemporaryDirectory directory_;
};

TEST_F(KernelImage, ElfIsUsedAsItIs) {
  const auto kernel = write("vmlinux", elf());
  EXPECT_EQ(prepare_kernel(kernel), kernel);
}

class PackedKernel : public KernelImage, public testing::WithParamInterface<const char*> {};

TEST_P(PackedKernel, IsUnpackedOnce) {
  const auto kernel = bzimage(GetParam());
  const auto unpacked = prepare_kernel(kernel);
  EXPECT_EQ(base::read_file(unpacked), elf());
  EXPECT_EQ(prepare_kernel(kernel), unpacked);
  EXPECT_EQ(cached_files(), 1U);
}

// lz4 -l is the legacy frame that kernel builds use.
INSTANTIATE_TEST_SUITE_P(Compressions, PackedKernel,
                         testing::Values("gzip -9", "xz --check=crc32", "xz --format=lzma",
                                         "bzip2 -9", "lz4 -l -9 - -", "zstd -19"));

TEST_F(KernelImage, SameContentUnderAnotherNameIsUnpackedOnce) {
  const auto first = bzimage("gzip");
  const auto second = write("other", base::read_file(first));
  EXPECT_EQ(prepare_kernel(first), prepare_kernel(second));
  EXPECT_EQ(cached_files(), 1U);
}

TEST_F(KernelImage, ChangedFileIsUnpackedAgain) {
  const auto kernel = bzimage("gzip -1");
  const auto before = prepare_kernel(kernel);
  fs::rename(bzimage("xz --check=crc32"), kernel);
  EXPECT_NE(prepare_kernel(kernel), before);
}

TEST_F(KernelImage, LostUnpackedKernelIsMadeAgain) {
  const auto kernel = bzimage("gzip");
  const auto unpacked = prepare_kernel(kernel);
  fs::remove(unpacked);
  EXPECT_EQ(base::read_file(prepare_kernel(kernel)), elf());
}

TEST_F(KernelImage, DraftOfAKilledProcessIsRemoved) {
  const auto cache = directory_.path() / "root/cache/kernels";
  base::make_directories(cache);
  base::write_file(cache / "abc.new.999999999", "half");
  prepare_kernel(bzimage("gzip"));
  EXPECT_FALSE(fs::exists(cache / "abc.new.999999999"));
}

TEST_F(KernelImage, MissingFileIsNamed) {
  EXPECT_NE(refusal(directory_.path() / "nothing").find("there is no kernel"), std::string::npos);
}

TEST_F(KernelImage, TextFileIsToldToBeText) {
  EXPECT_NE(refusal(write("notes", "boot me\n")).find("is a text file"), std::string::npos);
}

TEST_F(KernelImage, EmptyFileAndOtherBytesAreNoKernels) {
  EXPECT_NE(refusal(write("empty", "")).find("is empty"), std::string::npos);
  EXPECT_NE(refusal(write("zeros", std::string(4096, '\0'))).find("is no kernel"),
            std::string::npos);
}

TEST_F(KernelImage, DirectoryIsRefused) {
  EXPECT_NE(refusal(directory_.path()).find("no regular file"), std::string::npos);
}

TEST_F(KernelImage, TruncatedFileIsTold) {
  const auto whole = base::read_file(bzimage("gzip"));
  EXPECT_NE(refusal(write("short", whole.substr(0, whole.size() / 2))).find("truncated"),
            std::string::npos);
}

TEST_F(KernelImage, DamagedPayloadIsTold) {
  auto packed = base::read_file(bzimage("gzip"));
  packed.replace(packed.size() / 2, 100, 100, '\0');
  EXPECT_NE(refusal(write("damaged", packed)), "no refusal");
}

TEST_F(KernelImage, UnknownCompressionIsTold) {
  const auto plain = with_header(std::string(10'000, '?'));
  EXPECT_NE(refusal(write("odd", plain)).find("cannot unpack"), std::string::npos);
}

}  // namespace
}  // namespace twinbox::vmm
