#include "vmm/virtio/block_request.hpp"

#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "base/error.hpp"
#include "base/syscall.hpp"

namespace twinbox::vmm::virtio {
namespace {

std::uint64_t file_size(int fd, const std::string& path) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) base::throw_errno("cannot examine disk {}", path);
  if (S_ISREG(status.st_mode)) return static_cast<std::uint64_t>(status.st_size);
  const off_t end = S_ISBLK(status.st_mode) ? ::lseek(fd, 0, SEEK_END) : -1;
  if (end < 0) {
    throw base::Error(base::ErrorKind::usage,
                      fmt::format("disk {} is neither a file nor a block device", path));
  }
  return static_cast<std::uint64_t>(end);
}

// A file in pages without a disk behind them, whose file system does not know RWF_NOWAIT before
// Linux 6.6. Of a device only the name is in such a one.
bool is_in_memory(int fd) {
  struct stat file {};
  struct statfs system {};
  return ::fstat(fd, &file) == 0 && S_ISREG(file.st_mode) && ::fstatfs(fd, &system) == 0 &&
         (system.f_type == TMPFS_MAGIC || system.f_type == RAMFS_MAGIC);
}

// Sets offset and data; false unless they are whole sectors within the disk.
bool locate(BlockRequest& request, std::uint64_t sector, std::vector<Segment> data,
            const Disk& disk) {
  request.data_size = total_size(data);
  request.data = std::move(data);
  const std::uint64_t count = request.data_size / abi::block::sector_size;
  if (request.data_size % abi::block::sector_size != 0) return false;
  if (sector > disk.capacity || count > disk.capacity - sector) return false;
  request.offset = sector * abi::block::sector_size;
  return true;
}

BlockOperation parse_operation(BlockRequest& request, const abi::block::RequestHeader& header,
                               SegmentCursor reader, SegmentCursor writer, const Disk& disk) {
  using enum BlockOperation;
  switch (header.type) {
    case abi::block::request_in: {
      const bool legal = reader.remaining() == 0 &&
                         locate(request, header.sector, writer.take(writer.remaining()), disk);
      return legal ? read : invalid;
    }
    case abi::block::request_out: {
      const bool legal = writer.remaining() == 0 && disk.access == BlockAccess::read_write &&
                         locate(request, header.sector, reader.take(reader.remaining()), disk);
      return legal ? write : invalid;
    }
    case abi::block::request_flush:  // offered where the guest can write
      return disk.access == BlockAccess::read_write ? flush : unsupported;
    case abi::block::request_get_id:
      if (reader.remaining() != 0 || writer.remaining() < abi::block::id_size) return invalid;
      request.data = writer.take(abi::block::id_size);
      request.data_size = abi::block::id_size;
      return get_id;
    default:
      return unsupported;
  }
}

void store_id(const BlockRequest& request, const Disk& disk) {
  std::array<std::byte, abi::block::id_size> id{};  // padded with zeros
  const auto text = std::as_bytes(std::span(disk.id)).first(std::min(disk.id.size(), id.size()));
  std::ranges::copy(text, id.begin());
  SegmentCursor(request.data).write(id);
}

}  // namespace

Disk open_disk(const std::string& path, BlockAccess access) {
  Disk disk;
  const int mode = access == BlockAccess::read_only ? O_RDONLY : O_RDWR;
  disk.file = base::open_file(path, mode | O_NONBLOCK);  // opening a FIFO must not wait
  disk.access = access;
  disk.sectors = file_size(disk.file.get(), path) / abi::block::sector_size;
  disk.capacity = disk.sectors;
  disk.in_memory = is_in_memory(disk.file.get());
  disk.id = std::filesystem::path(path).filename().string().substr(0, abi::block::id_size);
  return disk;
}

Disk open_drive(const std::string& path, BlockAccess access) {
  constexpr std::uint64_t sectors_of_drives = (std::uint64_t{1} << 40) / abi::block::sector_size;
  Disk disk;
  if (!path.empty()) disk = open_disk(path, access);
  disk.access = access;
  disk.capacity = sectors_of_drives;
  return disk;
}

BlockRequest parse_block_request(const DescriptorChain& chain, const Disk& disk) {
  BlockRequest request;
  // 5.2.6: the status is the last writable byte, whatever the layout of the buffers.
  const std::uint64_t writable = total_size(chain.writable());
  if (writable == 0) return request;
  request.status = &chain.writable().back().back();
  SegmentCursor reader = chain.reader();
  const auto header = reader.read_object<abi::block::RequestHeader>();
  if (!header) return request;
  const auto before_status = chain.writer().take(writable - 1);
  request.operation = parse_operation(request, *header, reader, SegmentCursor(before_status), disk);
  return request;
}

BlockResult execute_block_request(const BlockRequest& request, const Disk& disk) {
  const int file = disk.file.get();
  const bool moves_data =
      request.operation == BlockOperation::read || request.operation == BlockOperation::write;
  if (moves_data && request.offset + request.data_size > disk.sectors * abi::block::sector_size) {
    return {};  // a drive's end is not its medium's
  }
  BlockResult done{.status = abi::block::status_ok, .written = 0};
  try {
    switch (request.operation) {
      case BlockOperation::read:
        base::preadv_exact(file, request.data, request.offset);
        done.written = static_cast<std::uint32_t>(request.data_size);
        return done;
      case BlockOperation::write:
        base::pwritev_all(file, request.data, request.offset);
        return done;
      case BlockOperation::flush:
        base::sync_data(file);
        return done;
      case BlockOperation::get_id:
        store_id(request, disk);
        done.written = abi::block::id_size;
        return done;
      case BlockOperation::unsupported:
        return {.status = abi::block::status_unsupported};
      case BlockOperation::invalid:
        break;
    }
  } catch (const base::Error& error) {
    return {.status = abi::block::status_io_error, .written = 0, .failure = error.what()};
  }
  return {.status = abi::block::status_io_error};
}

std::optional<BlockResult> execute_if_cached(const BlockRequest& request, const Disk& disk) {
  if (request.operation != BlockOperation::read) return std::nullopt;
  if (disk.in_memory) return execute_block_request(request, disk);
  if (request.offset + request.data_size > disk.sectors * abi::block::sector_size ||
      !base::preadv_cached(disk.file.get(), request.data, request.offset)) {
    return std::nullopt;
  }
  return BlockResult{.status = abi::block::status_ok,
                     .written = static_cast<std::uint32_t>(request.data_size)};
}

std::uint32_t store_block_status(const BlockRequest& request, const BlockResult& result) {
  if (!request.status) return 0;
  *request.status = std::byte{result.status};
  return result.written + 1;
}

}  // namespace twinbox::vmm::virtio
