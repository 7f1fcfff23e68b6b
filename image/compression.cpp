#include "image/compression.hpp"

#include <sys/stat.h>

#include <exception>
#include <utility>

namespace twinbox::image {
namespace {

constexpr std::size_t buffer_size = 128 * 1024;

}  // namespace

Compressor::Compressor(Sink sink) : sink_(std::move(sink)), archive_(::archive_write_new()) {
  auto* const handle = archive_.get();
  check_archive(handle, ::archive_write_set_format_raw(handle), "compress");
  check_archive(handle, ::archive_write_add_filter_zstd(handle), "compress");
  // Deliver each block as it comes, and do not pad the last one.
  check_archive(handle, ::archive_write_set_bytes_per_block(handle, 0), "compress");
  check_archive(handle, ::archive_write_open(handle, this, nullptr, deliver, nullptr), "compress");
  const EntryHandle entry(::archive_entry_new());
  ::archive_entry_set_filetype(entry.get(), AE_IFREG);
  check_archive(handle, ::archive_write_header(handle, entry.get()), "compress");
}

la_ssize_t Compressor::deliver(archive* handle, void* self, const void* bytes, std::size_t size) {
  auto* const compressor = static_cast<Compressor*>(self);
  try {
    compressor->sink_({static_cast<const std::byte*>(bytes), size});
    return static_cast<la_ssize_t>(size);
  } catch (...) {
    compressor->failure_ = std::current_exception();
    ::archive_set_error(handle, EIO, "the sink failed");
    return -1;
  }
}

void Compressor::fail(const char* what) {
  if (failure_) std::rethrow_exception(failure_);
  check_archive(archive_.get(), ARCHIVE_FATAL, what);
  std::terminate();  // not reached: check_archive throws
}

void Compressor::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const auto written = ::archive_write_data(archive_.get(), bytes.data(), bytes.size());
    if (written <= 0) fail("compress");
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

void Compressor::finish() {
  if (::archive_write_close(archive_.get()) < ARCHIVE_WARN) fail("finish the compressed stream");
}

Decompressor::Decompressor(const std::filesystem::path& path)
    : path_(path), buffer_(buffer_size), archive_(::archive_read_new()) {
  auto* const handle = archive_.get();
  // Named one by one: libarchive's "all" would run external programs for formats it lacks.
  ::archive_read_support_filter_gzip(handle);
  ::archive_read_support_filter_bzip2(handle);
  ::archive_read_support_filter_xz(handle);
  ::archive_read_support_filter_lzma(handle);
  ::archive_read_support_filter_zstd(handle);
  ::archive_read_support_format_raw(handle);
  ::archive_read_support_format_empty(handle);
  const auto what = "read " + path_;
  check_archive(handle, ::archive_read_open_filename(handle, path_.c_str(), buffer_size), what);
  archive_entry* entry = nullptr;
  const int result = ::archive_read_next_header(handle, &entry);
  empty_ = result == ARCHIVE_EOF;
  if (!empty_) check_archive(handle, result, what);
}

std::span<const std::byte> Decompressor::read() {
  if (empty_) return {};
  const auto count = ::archive_read_data(archive_.get(), buffer_.data(), buffer_.size());
  if (count < 0) check_archive(archive_.get(), static_cast<int>(count), "read " + path_);
  return std::span(buffer_).first(static_cast<std::size_t>(count < 0 ? 0 : count));
}

}  // namespace twinbox::image
