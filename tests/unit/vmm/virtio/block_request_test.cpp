#include "vmm/virtio/block_request.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/syscall.hpp"
#include "tests/support/fake_guest.hpp"

namespace twinbox::vmm::virtio {
namespace {

namespace block = abi::block;
using tests::Buffer;
using tests::readable;
using tests::writable;

constexpr std::uint64_t sectors = 16;

class BlockRequestTest : public testing::Test {
 protected:
  BlockRequestTest() {
    std::string content;
    for (std::uint64_t i = 0; i < sectors; ++i) {
      content += std::string(block::sector_size, static_cast<char>('a' + i));
    }
    base::write_file(path_, content);
  }
  Buffer header(std::uint32_t type, std::uint64_t sector = 0) {
    const block::RequestHeader wire{type, 0, sector};
    return {guest_.place_object(wire), sizeof(wire), false};
  }
  // The request of one chain, on a disk opened for `access`.
  BlockRequest parse(const std::vector<Buffer>& buffers,
                     BlockAccess access = BlockAccess::read_write) {
    return parse(buffers, open_disk(path_, access));
  }
  BlockRequest parse(const std::vector<Buffer>& buffers, Disk disk) {
    disk_ = std::move(disk);
    driver_.send(buffers);
    chain_ = queue_.pop();
    return parse_block_request(chain_.value(), disk_);
  }
  // The status of reading two sectors of a drive.
  std::uint8_t read_drive(const std::string& medium, std::uint64_t sector) {
    const auto request = parse({header(block::request_in, sector), writable(guest_, 1024), status_},
                               open_drive(medium, BlockAccess::read_only));
    return execute_block_request(request, disk_).status;
  }
  // Status and used length after all three steps.
  BlockResult run(const std::vector<Buffer>& buffers,
                  BlockAccess access = BlockAccess::read_write) {
    const BlockRequest request = parse(buffers, access);
    const BlockResult result = execute_block_request(request, disk_);
    return {result.status, store_block_status(request, result)};
  }
  std::string text(const Buffer& buffer) { return guest_.text(buffer.address, buffer.length); }

  base::TemporaryDirectory directory_;
  std::string path_ = directory_.path() / "disk.img";
  Disk disk_;
  tests::FakeGuest guest_;
  tests::QueueDriver driver_{guest_, 16};
  Queue queue_{driver_.open({.indirect = true})};
  std::optional<DescriptorChain> chain_;
  Buffer status_ = writable(guest_, 1);
};

// --- Parsing ---

TEST_F(BlockRequestTest, ReadIsParsed) {
  const auto request = parse({header(block::request_in, 3), writable(guest_, 1024), status_});
  EXPECT_EQ(request.operation, BlockOperation::read);
  EXPECT_EQ(request.offset, 3 * 512U);
  EXPECT_EQ(request.data_size, 1024U);
  EXPECT_EQ(request.data.size(), 1U);
  EXPECT_NE(request.status, nullptr);
}

TEST_F(BlockRequestTest, LayoutOfTheBuffersDoesNotMatter) {
  // The header in two pieces, data glued to the second; the status glued to the data read.
  const block::RequestHeader wire{block::request_out, 0, 2};
  const std::string bytes(reinterpret_cast<const char*>(&wire), sizeof(wire));
  const auto out = parse({readable(guest_, bytes.substr(0, 5)),
                          readable(guest_, bytes.substr(5) + std::string(512, 'x')), status_});
  EXPECT_EQ(out.operation, BlockOperation::write);
  EXPECT_EQ(out.offset, 1024U);
  EXPECT_EQ(out.data_size, 512U);
  const auto in = parse({header(block::request_in), writable(guest_, 513)});
  EXPECT_EQ(in.operation, BlockOperation::read);
  EXPECT_EQ(in.data_size, 512U);
}

TEST_F(BlockRequestTest, RangeMustBeOnTheDisk) {
  const auto operation = [&](std::uint64_t sector, std::uint32_t size) {
    return parse({header(block::request_in, sector), writable(guest_, size), status_}).operation;
  };
  EXPECT_EQ(operation(15, 512), BlockOperation::read);
  EXPECT_EQ(operation(15, 1024), BlockOperation::invalid);
  EXPECT_EQ(operation(16, 512), BlockOperation::invalid);
  EXPECT_EQ(operation(~0ULL, 512), BlockOperation::invalid);
  EXPECT_EQ(operation(1ULL << 55, 512), BlockOperation::invalid);  // times 512 overflows
  EXPECT_EQ(operation(0, 511), BlockOperation::invalid);
}

TEST_F(BlockRequestTest, DataInTheWrongDirectionIsInvalid) {
  EXPECT_EQ(parse({header(block::request_out), writable(guest_, 512), status_}).operation,
            BlockOperation::invalid);
  EXPECT_EQ(parse({header(block::request_in), readable(guest_, std::string(512, 'x')), status_})
                .operation,
            BlockOperation::invalid);
  EXPECT_EQ(parse({header(block::request_get_id), readable(guest_, "x"), status_}).operation,
            BlockOperation::invalid);
}

TEST_F(BlockRequestTest, ShortHeaderIsInvalidButAnswered) {
  const auto request = parse({readable(guest_, "short"), writable(guest_, 512), status_});
  EXPECT_EQ(request.operation, BlockOperation::invalid);
  EXPECT_NE(request.status, nullptr);
}

TEST_F(BlockRequestTest, ChainWithoutRoomForAStatusIsInvalid) {
  const auto request = parse({header(block::request_flush)});
  EXPECT_EQ(request.operation, BlockOperation::invalid);
  EXPECT_EQ(request.status, nullptr);
  EXPECT_EQ(store_block_status(request, {block::status_io_error, 0}), 0U);
}

TEST_F(BlockRequestTest, UnknownTypeIsUnsupported) {
  EXPECT_EQ(parse({header(11), readable(guest_, std::string(16, 'x')), status_}).operation,
            BlockOperation::unsupported);
}

TEST_F(BlockRequestTest, WriteToAReadOnlyDiskIsInvalid) {
  EXPECT_EQ(parse({header(block::request_out), readable(guest_, std::string(512, 'x')), status_},
                  BlockAccess::read_only)
                .operation,
            BlockOperation::invalid);
}

// --- Execution ---

TEST_F(BlockRequestTest, ReadFillsManyBuffers) {
  const Buffer first = writable(guest_, 700);
  const Buffer second = writable(guest_, 100);
  const Buffer third = writable(guest_, 224);
  const auto result = run({header(block::request_in, 1), first, second, third, status_});
  EXPECT_EQ(result.status, block::status_ok);
  EXPECT_EQ(result.written, 1025U);  // the status byte counts
  EXPECT_EQ(text(first) + text(second) + text(third),
            std::string(512, 'b') + std::string(512, 'c'));
  EXPECT_EQ(text(status_), std::string(1, '\0'));
}

TEST_F(BlockRequestTest, WriteTakesManyBuffers) {
  const auto result = run({header(block::request_out, 1), readable(guest_, std::string(300, 'X')),
                           readable(guest_, std::string(212, 'Y')), status_});
  EXPECT_EQ(result.status, block::status_ok);
  EXPECT_EQ(result.written, 1U);
  EXPECT_EQ(base::read_file(path_).substr(512, 1024),
            std::string(300, 'X') + std::string(212, 'Y') + std::string(512, 'c'));
}

TEST_F(BlockRequestTest, LastSectorIsReadable) {
  const Buffer data = writable(guest_, 512);
  EXPECT_EQ(run({header(block::request_in, 15), data, status_}).status, block::status_ok);
  EXPECT_EQ(text(data), std::string(512, 'p'));
}

TEST_F(BlockRequestTest, InvalidRequestFailsAndChangesNothing) {
  const std::string before = base::read_file(path_);
  const auto result =
      run({header(block::request_out, 16), readable(guest_, std::string(512, 'X')), status_});
  EXPECT_EQ(result.status, block::status_io_error);
  EXPECT_EQ(text(status_), std::string(1, '\1'));
  EXPECT_EQ(base::read_file(path_), before);
}

TEST_F(BlockRequestTest, UnsupportedRequestSaysSo) {
  EXPECT_EQ(run({header(11), status_}).status, block::status_unsupported);
  EXPECT_EQ(text(status_), std::string(1, '\2'));
}

TEST_F(BlockRequestTest, FlushSucceeds) {
  EXPECT_EQ(run({header(block::request_flush), status_}).status, block::status_ok);
}

// fdatasync of a pipe fails, so the flush must have called it.
TEST_F(BlockRequestTest, FlushReportsThatTheSyncFailed) {
  BlockRequest request;
  request.operation = BlockOperation::flush;
  Disk disk;
  disk.file = base::make_pipe().second;
  EXPECT_EQ(execute_block_request(request, disk).status, block::status_io_error);
}

TEST_F(BlockRequestTest, FileThatShrankFailsTheRead) {
  const auto request = parse({header(block::request_in, 8), writable(guest_, 512), status_});
  ASSERT_EQ(::truncate(path_.c_str(), 1024), 0);
  EXPECT_EQ(execute_block_request(request, disk_).status, block::status_io_error);
}

TEST_F(BlockRequestTest, IdIsTheFilesName) {
  const Buffer id = writable(guest_, 20);
  const auto result = run({header(block::request_get_id), id, status_});
  EXPECT_EQ(result.status, block::status_ok);
  EXPECT_EQ(result.written, 21U);
  EXPECT_EQ(text(id), "disk.img" + std::string(12, '\0'));
}

// --- Opening ---

TEST_F(BlockRequestTest, CapacityIsInWholeSectors) {
  EXPECT_EQ(open_disk(path_, BlockAccess::read_only).sectors, sectors);
  base::write_file(path_, std::string(1023, 'x'));
  EXPECT_EQ(open_disk(path_, BlockAccess::read_only).sectors, 1U);
}

TEST_F(BlockRequestTest, DrivesLookTheSameWhateverIsInThem) {
  const auto empty = open_drive("", BlockAccess::read_only);
  const auto full = open_drive(path_, BlockAccess::read_only);
  EXPECT_EQ(empty.capacity, full.capacity);
  EXPECT_GT(full.capacity, full.sectors);
  EXPECT_EQ(empty.sectors, 0U);
  EXPECT_EQ(full.sectors, sectors);
}

TEST_F(BlockRequestTest, NothingIsReadBeyondWhatIsInADrive) {
  EXPECT_EQ(read_drive(path_, sectors - 2), block::status_ok);
  EXPECT_EQ(read_drive(path_, sectors - 1), block::status_io_error);
  EXPECT_EQ(read_drive("", 0), block::status_io_error);
}

// The file system of its name is one in memory.
TEST_F(BlockRequestTest, ADeviceIsNoFileInMemory) {
  for (const auto* const path : {"/dev/loop0", "/dev/vda", "/dev/sda", "/dev/nvme0n1"}) {
    if (::access(path, R_OK) != 0) continue;
    EXPECT_FALSE(open_disk(path, BlockAccess::read_only).in_memory) << path;
    return;
  }
  GTEST_SKIP() << "there is no block device";
}

TEST_F(BlockRequestTest, DiskThatCannotBeOpenedIsNamed) {
  const auto message = [](const std::string& path) {
    try {
      open_disk(path, BlockAccess::read_write);
    } catch (const base::Error& error) {
      return error.message();
    }
    return std::string();
  };
  EXPECT_NE(message("/nonexistent/disk").find("/nonexistent/disk"), std::string::npos);
  EXPECT_NE(message(directory_.path()).find(directory_.path()), std::string::npos);
  EXPECT_NE(message("/dev/null").find("neither"), std::string::npos);
  const std::string fifo = directory_.path() / "fifo";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_NE(message(fifo).find("neither"), std::string::npos);
}

}  // namespace
}  // namespace twinbox::vmm::virtio
