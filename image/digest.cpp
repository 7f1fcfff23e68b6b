#include "image/digest.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <vector>

#include "base/error.hpp"
#include "base/syscall.hpp"

namespace twinbox::image {
namespace {

constexpr std::string_view prefix = "sha256:";

constexpr std::size_t digest_size = 32;

void check(int result) {
  if (result != 1) throw base::Error(base::ErrorKind::internal, "cannot compute a SHA-256 digest");
}

}  // namespace

void Sha256::Free::operator()(evp_md_ctx_st* context) const { ::EVP_MD_CTX_free(context); }

Sha256::Sha256() : context_(::EVP_MD_CTX_new()) {
  check(context_ ? ::EVP_DigestInit_ex(context_.get(), ::EVP_sha256(), nullptr) : 0);
}

void Sha256::update(std::span<const std::byte> bytes) {
  check(::EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()));
}

std::string Sha256::finish() {
  std::array<unsigned char, digest_size> digest{};
  check(::EVP_DigestFinal_ex(context_.get(), digest.data(), nullptr));
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
  const bool valid = digest.starts_with(prefix) && hex.size() == 2 * digest_size &&
                     hex.find_first_not_of("0123456789abcdef") == std::string_view::npos;
  if (!valid) {
    throw base::Error(base::ErrorKind::usage, fmt::format("'{}' is not a sha256 digest", digest));
  }
  return std::string(hex);
}

}  // namespace twinbox::image
