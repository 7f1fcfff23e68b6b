// SHA-256 digests as the OCI image-spec writes them: "sha256:" and 64 hexadecimal digits.
#pragma once

#include <nettle/sha2.h>

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace twinbox::image {

class Sha256 {
 public:
  Sha256();
  void update(std::span<const std::byte> bytes);
  // The digest of all bytes so far; begins anew.
  std::string finish();

 private:
  sha256_ctx context_{};
};

std::string digest_of(std::string_view text);
std::string digest_of_file(const std::filesystem::path& path);

// The digits of a digest. Throws base::Error (usage) when `digest` is none: it may come from a file
// and is about to become part of a path.
std::string digest_hex(std::string_view digest);

}  // namespace twinbox::image
