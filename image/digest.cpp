#include "image/digest.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "base/error.hpp"
#include "base/syscall.hpp"

namespace twinbox::image {
namespace {

constexpr std::string_view prefix = "sha256:";

}  // namespace

Sha256::Sha256() { ::sha256_init(&context_); }

void Sha256::update(std::span<const std::byte> bytes) {
  ::sha256_update(&context_, bytes.size(), reinterpret_cast<const std::uint8_t*>(bytes.data()));
}

std::string Sha256::finish() {
  std::array<std::uint8_t, SHA256_DIGEST_SIZE> digest{};
  ::sha256_digest(&context_, digest.size(), digest.data());
  std::string text(prefix);
  for (const auto byte : digest) text += fmt::format("{:02x}", byte);
  return text;
}

std::string digest_of(std::string_view text) {
  Sha256 hash;
  hash.update(std::as_bytes(std::span(text)));
  return hash.finish();
}

std::string digest_of_file(const std::filesystem::path& path) {
  const auto fd = base::open_file(path, O_RDONLY);
  Sha256 hash;
  std::vector<std::byte> buffer(256 * 1024);
  while (const auto count = base::read_some(fd.get(), buffer).value_or(0)) {
    hash.update(std::span(buffer).first(count));
  }
  return hash.finish();
}

std::string digest_hex(std::string_view digest) {
  const auto hex = digest.substr(std::min(prefix.size(), digest.size()));
  const bool valid = digest.starts_with(prefix) && hex.size() == 2 * SHA256_DIGEST_SIZE &&
                     hex.find_first_not_of("0123456789abcdef") == std::string_view::npos;
  if (!valid) {
    throw base::Error(base::ErrorKind::usage, fmt::format("'{}' is not a sha256 digest", digest));
  }
  return std::string(hex);
}

}  // namespace twinbox::image
