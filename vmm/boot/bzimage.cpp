#include "vmm/boot/bzimage.hpp"

#include <archive.h>
#include <archive_entry.h>

#include <array>
#include <cstring>
#include <memory>

#include "base/error.hpp"
#include "base/syscall.hpp"

namespace twinbox::vmm {
namespace {

using base::Error;
using base::ErrorKind;

// Offsets in the setup header (boot.rst).
constexpr std::size_t setup_sectors_at = 0x1f1;
constexpr std::size_t boot_flag_at = 0x1fe;
constexpr std::size_t magic_at = 0x202;
constexpr std::size_t version_at = 0x206;
constexpr std::size_t payload_offset_at = 0x248;
constexpr std::size_t payload_length_at = 0x24c;
constexpr std::size_t header_end = 0x250;
constexpr std::uint64_t sector = 512;

template <typename T>
T load(std::span<const std::byte> file, std::size_t offset) {
  T value{};
  std::memcpy(&value, file.data() + offset, sizeof value);
  return value;
}

[[noreturn]] void truncated(std::string_view source, std::uint64_t wanted, std::uint64_t has) {
  throw Error(ErrorKind::usage,
              fmt::format("the kernel {} is truncated: its header promises {} bytes, the file has "
                          "{}",
                          source, wanted, has),
              "fetch or copy the kernel again");
}

struct ArchiveCloser {
  void operator()(archive* reader) const { ::archive_read_free(reader); }
};
using Reader = std::unique_ptr<archive, ArchiveCloser>;

[[noreturn]] void unpack_failed(std::string_view source, archive* reader) {
  const char* why = ::archive_error_string(reader);
  throw Error(ErrorKind::usage,
              fmt::format("cannot unpack the kernel {}: {}", source,
                          why != nullptr ? why : "its compression is not known"),
              "the payload must be gzip, xz, lzma, bzip2, lz4 or zstd and whole");
}

Reader open_reader(std::span<const std::byte> compressed, std::string_view source) {
  Reader reader(::archive_read_new());
  ::archive_read_support_format_raw(reader.get());
  ::archive_read_support_filter_all(reader.get());
  archive_entry* entry = nullptr;
  if (::archive_read_open_memory(reader.get(), compressed.data(), compressed.size()) !=
          ARCHIVE_OK ||
      ::archive_read_next_header(reader.get(), &entry) != ARCHIVE_OK) {
    unpack_failed(source, reader.get());
  }
  // Without a filter the raw format would hand through whatever it is.
  if (::archive_filter_code(reader.get(), 0) == ARCHIVE_FILTER_NONE) {
    unpack_failed(source, reader.get());
  }
  return reader;
}

}  // namespace

bool is_bzimage(std::span<const std::byte> file) {
  return file.size() >= header_end && load<std::uint16_t>(file, boot_flag_at) == 0xaa55 &&
         std::memcmp(file.data() + magic_at, "HdrS", 4) == 0;
}

BzImagePayload find_payload(std::span<const std::byte> file, std::string_view source) {
  if (load<std::uint16_t>(file, version_at) < 0x0208) {
    throw Error(ErrorKind::unsupported,
                fmt::format("the kernel {} uses a boot protocol older than 2.08", source),
                "use a kernel of Linux 2.6.26 or newer");
  }
  const auto sectors = load<std::uint8_t>(file, setup_sectors_at);
  const std::uint64_t setup_size = ((sectors == 0 ? 4U : sectors) + 1U) * sector;
  const std::uint64_t start = setup_size + load<std::uint32_t>(file, payload_offset_at);
  const std::uint64_t length = load<std::uint32_t>(file, payload_length_at);
  if (start + length > file.size()) truncated(source, start + length, file.size());
  if (length <= 4) {
    throw Error(ErrorKind::usage, fmt::format("the kernel {} holds no payload", source));
  }
  const auto payload = file.subspan(start, length);
  return {payload.first(length - 4), load<std::uint32_t>(payload, length - 4)};
}

void unpack_payload(const BzImagePayload& payload, int out, std::string_view source) {
  const Reader reader = open_reader(payload.compressed, source);
  const auto buffer = std::make_unique<std::array<std::byte, 0x4'0000>>();
  std::uint64_t total = 0;
  while (total < payload.unpacked_size) {
    const auto count = ::archive_read_data(reader.get(), buffer->data(), buffer->size());
    if (count < 0) unpack_failed(source, reader.get());
    if (count == 0) break;
    base::write_all(out, std::span(*buffer).first(static_cast<std::size_t>(count)));
    total += static_cast<std::uint64_t>(count);
  }
  if (total != payload.unpacked_size) {
    throw Error(ErrorKind::usage,
                fmt::format("the kernel {} unpacks to {} bytes, and says it should be {}", source,
                            total, payload.unpacked_size),
                "fetch or copy the kernel again");
  }
}

}  // namespace twinbox::vmm
