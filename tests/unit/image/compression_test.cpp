#include "image/compression.hpp"

#include <gtest/gtest.h>

#include <string>

#include "base/command.hpp"
#include "base/file.hpp"

namespace twinbox::image {
namespace {

std::string sample() {
  std::string text;
  for (int i = 0; i < 50'000; ++i) text += std::to_string(i * 7919 % 10'007);
  return text;
}

std::string read_all(const std::filesystem::path& path) {
  Decompressor input(path);
  std::string text;
  for (auto bytes = input.read(); !bytes.empty(); bytes = input.read()) {
    text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  return text;
}

TEST(Compression, GivesBackWhatItTook) {
  const base::TemporaryDirectory directory;
  const auto text = sample();
  std::string packed;
  Compressor compressor([&](std::span<const std::byte> bytes) {
    packed.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  });
  compressor.write(std::as_bytes(std::span(text)));
  compressor.finish();
  EXPECT_LT(packed.size(), text.size());
  base::write_file(directory.path() / "packed", packed);
  EXPECT_EQ(read_all(directory.path() / "packed"), text);
}

TEST(Compression, PassesTheSinksFailureOn) {
  Compressor compressor([](std::span<const std::byte>) { throw std::runtime_error("disk full"); });
  const auto text = sample();
  EXPECT_THROW(
      {
        compressor.write(std::as_bytes(std::span(text)));
        compressor.finish();
      },
      std::runtime_error);
}

class Decompression : public testing::TestWithParam<const char*> {};

TEST_P(Decompression, KnowsTheFormatByItself) {
  const std::string program = GetParam();
  const base::TemporaryDirectory directory;
  const auto path = directory.path() / "sample";
  base::write_file(path, sample());
  const auto packed = base::run_command({program, "-c", path.string()});
  if (packed.status == 127) GTEST_SKIP() << program << " is not installed";
  ASSERT_EQ(packed.status, 0) << packed.err;
  base::write_file(path, packed.out);
  EXPECT_EQ(read_all(path), sample());
}

INSTANTIATE_TEST_SUITE_P(Formats, Decompression, testing::Values("gzip", "xz", "bzip2", "zstd"),
                         [](const auto& given) { return std::string(given.param); });

TEST(Decompressor, GivesAnythingElseAsItIs) {
  const base::TemporaryDirectory directory;
  base::write_file(directory.path() / "plain", "plain text");
  base::write_file(directory.path() / "empty", "");
  EXPECT_EQ(read_all(directory.path() / "plain"), "plain text");
  EXPECT_EQ(read_all(directory.path() / "empty"), "");
}

TEST(Decompressor, NamesAFileThatIsDamaged) {
  const base::TemporaryDirectory directory;
  const auto path = directory.path() / "damaged.gz";
  base::write_file(directory.path() / "damaged", sample());
  ASSERT_EQ(base::run_command({"gzip", (directory.path() / "damaged").string()}).status, 0);
  auto packed = base::read_file(path);
  packed.resize(packed.size() / 2);
  base::write_file(path, packed);
  try {
    read_all(path);
    FAIL() << "half a file was accepted";
  } catch (const base::Error& error) {
    EXPECT_NE(error.message().find("damaged.gz"), std::string::npos) << error.message();
  }
}

}  // namespace
}  // namespace twinbox::image
