// The thread that executes a disk's requests, so that the event loop never waits for storage.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

#include "base/fd.hpp"
#include "vmm/virtio/block_request.hpp"
#include "vmm/virtio/chain.hpp"

namespace twinbox::vmm::virtio {

struct BlockJob {
  DescriptorChain chain;
  BlockRequest request;
  BlockResult result;
};

class BlockWorker {
 public:
  // The disk is borrowed. The thread starts with the first job: an unused disk costs none.
  explicit BlockWorker(const Disk& disk);
  ~BlockWorker();

  void submit(std::vector<BlockJob> jobs);
  // An eventfd that is signalled (for an edge-triggered watch) when there are finished jobs.
  int finished_descriptor() const { return finished_event_.get(); }
  std::vector<BlockJob> take_finished();
  // Returns when every job is finished.
  void wait_until_idle();
  // Drops every job, after waiting for the one that is executing.
  void drain();

 private:
  void run(const std::stop_token& stop);

  const Disk& disk_;
  base::Fd finished_event_;
  std::mutex mutex_;  // guards what follows; innermost
  std::condition_variable_any changed_;
  std::deque<BlockJob> waiting_;
  std::vector<BlockJob> finished_;
  bool executing_ = false;
  std::jthread thread_;
};

}  // namespace twinbox::vmm::virtio
