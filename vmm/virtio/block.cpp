#include "vmm/virtio/block.hpp"

#include <sys/epoll.h>

#include <utility>
#include <vector>

#include "base/log.hpp"
#include "vmm/virtio/block_workers.hpp"

namespace twinbox::vmm::virtio {
namespace {

// What the loop itself copies in one turn from the host's page cache, which takes less than to hand
// a request to a worker and back; others have their turn then.
constexpr std::uint64_t fair_share = 1U << 20;
// A guest can repeat what fails as often as it likes.
constexpr std::uint64_t logged_failures = 10;

}  // namespace

Block::Block(base::EventLoop& loop, Disk disk)
    : loop_(loop),
      disk_(std::move(disk)),
      // Header and status take two of a queue's descriptors.
      config_{.capacity = disk_.capacity, .size_max = 0, .segment_max = queue_size - 2},
      workers_(std::make_unique<BlockWorkers>(disk_)) {
  loop_.add(workers_->finished_descriptor(), EPOLLIN | EPOLLET, [this](std::uint32_t) {
    const std::lock_guard lock(mutex());
    complete_finished();
  });
}

Block::~Block() { loop_.remove(workers_->finished_descriptor()); }

std::uint64_t Block::features() const {
  // Nothing that a read-only disk could lose is ever cached for it.
  return abi::block::feature_segment_max |
         (disk_.access == BlockAccess::read_only ? abi::block::feature_read_only
                                                 : abi::block::feature_flush);
}

void Block::on_queue(std::uint16_t index) {
  std::vector<BlockJob> jobs;
  std::uint64_t copied = 0;
  serve_chains(index, [&](DescriptorChain chain) {
    BlockRequest request = parse_block_request(chain, disk_);
    if (request.operation == BlockOperation::invalid) count_fault("a malformed disk request");
    if (jobs.empty() && copied < fair_share) {
      if (const auto result = execute_if_cached(request, disk_)) {
        copied += request.data_size;
        return complete(std::move(chain), request, *result);
      }
    }
    jobs.push_back({std::move(chain), std::move(request), {}});
  });
  workers_->submit(std::move(jobs));
}

void Block::on_drain() {
  workers_->wait_until_idle();
  complete_finished();
}

void Block::complete_finished() {
  auto finished = workers_->take_finished();
  if (!active() || finished.empty()) return;
  for (BlockJob& job : finished) complete(std::move(job.chain), job.request, job.result);
  settle(0);
}

void Block::complete(DescriptorChain chain, const BlockRequest& request,
                     const BlockResult& result) {
  if (!result.failure.empty() && ++failures_ <= logged_failures) {
    base::log(base::LogLevel::warning, "disk {}: {}", disk_.id, result.failure);
  }
  queue(0).complete(std::move(chain), store_block_status(request, result));
}

void Block::on_reset() { workers_->drain(); }

}  // namespace twinbox::vmm::virtio
