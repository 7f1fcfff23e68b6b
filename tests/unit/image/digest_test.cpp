#include "image/digest.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "base/file.hpp"

namespace twinbox::image {
namespace {

// FIPS 180-2, appendix B.1.
constexpr auto digest_of_abc =
    "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

TEST(Digest, MatchesThePublishedVectors) {
  EXPECT_EQ(digest_of("abc"), digest_of_abc);
  EXPECT_EQ(digest_of(""),
            "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(Digest, IsTheSameInPiecesAndOfAFile) {
  Sha256 hash;
  hash.update(std::as_bytes(std::span("ab", 2)));
  hash.update(std::as_bytes(std::span("c", 1)));
  EXPECT_EQ(hash.finish(), digest_of_abc);
  const base::TemporaryDirectory directory;
  base::write_file(directory.path() / "abc", "abc");
  EXPECT_EQ(digest_of_file(directory.path() / "abc"), digest_of_abc);
}

TEST(Digest, OnlyARealOneBecomesPartOfAPath) {
  EXPECT_EQ(digest_hex(digest_of_abc).size(), 64U);
  EXPECT_THROW(digest_hex("sha256:../../etc/passwd"), base::Error);
  EXPECT_THROW(digest_hex("md5:ba7816bf"), base::Error);
  EXPECT_THROW(digest_hex(std::string(digest_of_abc) + "0"), base::Error);
  EXPECT_THROW(digest_hex(""), base::Error);
}

}  // namespace
}  // namespace twinbox::image
