// Finds and unpacks the payload of a bzImage, the compressed kernel file of a distribution.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace twinbox::vmm {

// The compressed ELF inside of a bzImage (Linux Documentation/arch/x86/boot.rst: payload_offset and
// payload_length of protocol 2.08 and newer).
struct BzImagePayload {
  std::span<const std::byte> compressed;
  std::uint32_t unpacked_size = 0;  // the kernel's build appends it to the payload
};

// True when `file` carries the boot sector's signature and the header's magic.
bool is_bzimage(std::span<const std::byte> file);
// Throws base::Error that names `source` when the header contradicts the file.
BzImagePayload find_payload(std::span<const std::byte> file, std::string_view source);
// Unpacks into the descriptor `out`, checking the size that was announced.
void unpack_payload(const BzImagePayload& payload, int out, std::string_view source);

}  // namespace twinbox::vmm
