// Streams compressed and uncompressed, whatever the format.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <span>
#include <vector>

#include "base/error.hpp"
#include "image/archive.hpp"

namespace twinbox::image {

// Takes bytes; throws to stop the stream.
using Sink = std::function<void(std::span<const std::byte>)>;

// Compresses what is written to it with zstd.
class Compressor {
 public:
  explicit Compressor(Sink sink);
  void write(std::span<const std::byte> bytes);
  // Delivers what is still inside.
  void finish();

 private:
  [[noreturn]] void fail(const char* what);
  static la_ssize_t deliver(archive* handle, void* self, const void* bytes, std::size_t size);

  Sink sink_;
  std::exception_ptr failure_;  // an exception must not pass through libarchive's C frames
  ArchiveHandle archive_;
};

// Reads a file: gzip, bzip2, xz, lzma and zstd are unpacked, anything else is given as it is.
class Decompressor {
 public:
  explicit Decompressor(const std::filesystem::path& path);
  // The next bytes, valid until the next call; none at the end. Throws base::Error naming the file.
  std::span<const std::byte> read();

 private:
  std::string path_;
  std::vector<std::byte> buffer_;
  ArchiveHandle archive_;
  bool empty_ = false;
};

}  // namespace twinbox::image
