// A block request in three steps: parse a chain, execute it on the disk, complete the chain.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/fd.hpp"
#include "vmm/virtio/abi.hpp"
#include "vmm/virtio/chain.hpp"

namespace twinbox::vmm::virtio {

enum class BlockAccess { read_write, read_only };

// The file behind a disk.
struct Disk {
  base::Fd file;
  BlockAccess access = BlockAccess::read_write;
  std::uint64_t sectors = 0;  // whole ones; a last part of one is not seen by the guest
  std::uint64_t capacity =
      0;  // that the guest is told of, in sectors; beyond `sectors` nothing can be read
  bool in_memory = false;  // no read of it waits for a device
  std::string id;          // at most 20 bytes; the guest sees it as the disk's serial number
};

// Throws base::Error that names the path: missing, a directory, no permission.
Disk open_disk(const std::string& path, BlockAccess access);
// A disk that looks the same to the guest whatever is in it; nothing, where the path is empty.
Disk open_drive(const std::string& path, BlockAccess access);

enum class BlockOperation { read, write, flush, get_id, unsupported, invalid };

// What a chain asks for. The segments are guest memory of the chain that it was parsed from.
struct BlockRequest {
  BlockOperation operation = BlockOperation::invalid;
  std::uint64_t offset = 0;  // in bytes
  std::vector<Segment> data;
  std::uint64_t data_size = 0;
  std::byte* status = nullptr;  // the chain's last writable byte; null where it has none
};

// Checks direction, size and range: what breaks a rule becomes `invalid`, never an out-of-range
// access.
BlockRequest parse_block_request(const DescriptorChain& chain, const Disk& disk);

// Performs it. Returns the status byte; `written` is the number of bytes put into guest memory,
// `failure` what the host says of an error, for the log.
struct BlockResult {
  std::uint8_t status = abi::block::status_io_error;
  std::uint32_t written = 0;
  std::string failure{};
};
BlockResult execute_block_request(const BlockRequest& request, const Disk& disk);

// The same for a read that need not wait; nullopt where it would, or is something else.
std::optional<BlockResult> execute_if_cached(const BlockRequest& request, const Disk& disk);

// Stores the status byte; returns the used length of the chain, which counts that byte.
std::uint32_t store_block_status(const BlockRequest& request, const BlockResult& result);

}  // namespace twinbox::vmm::virtio
