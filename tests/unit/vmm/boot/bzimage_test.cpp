#include "vmm/boot/bzimage.hpp"

#include <gtest/gtest.h>

#include <string>

#include "base/error.hpp"

namespace twinbox::vmm {
namespace {

std::span<const std::byte> bytes(const std::string& text) { return std::as_bytes(std::span(text)); }

// The header of a bzImage with `payload` after one sector of set-up code.
std::string bzimage(const std::string& payload, std::uint32_t announced_length) {
  std::string file(1024, '\0');
  file[0x1f1] = 1;
  file[0x1fe] = '\x55';
  file[0x1ff] = '\xaa';
  file.replace(0x202, 4, "HdrS");
  file[0x206] = 0x0f;
  file[0x207] = 0x02;
  for (unsigned i = 0; i < 4; ++i) {
    file[0x24c + i] = static_cast<char>(announced_length >> (8 * i));
  }
  return file + payload;
}

TEST(BzImage, IsToldFromOtherFiles) {
  EXPECT_TRUE(is_bzimage(bytes(bzimage("", 0))));
  EXPECT_FALSE(is_bzimage(bytes("HdrS")));
  EXPECT_FALSE(is_bzimage(bytes(std::string(4096, 'x'))));
}

TEST(BzImage, PayloadIsWhereTheHeaderSays) {
  const auto file = bzimage(std::string("compressed\x10\x02\x00\x00", 14), 14);
  const auto payload = find_payload(bytes(file), "bzImage");
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(payload.compressed.data()),
                        payload.compressed.size()),
            "compressed");
  EXPECT_EQ(payload.unpacked_size, 0x210U);
}

TEST(BzImage, PayloadBeyondTheEndIsTruncation) {
  for (const std::uint32_t length : {15U, 0xffff'ffffU}) {
    try {
      find_payload(bytes(bzimage(std::string(14, 'x'), length)), "my-kernel");
      FAIL() << length;
    } catch (const base::Error& error) {
      EXPECT_NE(error.message().find("my-kernel is truncated"), std::string::npos);
    }
  }
}

TEST(BzImage, WithoutPayloadIsRefused) {
  EXPECT_THROW(find_payload(bytes(bzimage("abc", 3)), "bzImage"), base::Error);
}

TEST(BzImage, OldProtocolIsRefused) {
  auto file = bzimage(std::string(14, 'x'), 14);
  file[0x206] = 0x07;
  EXPECT_THROW(find_payload(bytes(file), "bzImage"), base::Error);
}

}  // namespace
}  // namespace twinbox::vmm
